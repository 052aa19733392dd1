/** Operands of any size, for instructions too rare to have a handler for each form. Low half returned, high half in `cpu.high`. */
import { next, target } from './address.ts';
import type { Cpu } from './cpu.ts';
import type { Op } from './op.ts';

export const getRegister = (c: Cpu, place: number, size: number): number => {
  c.high = 0;
  switch (size) {
    case 1:
      return c.s8[place];
    case 2:
      return c.s16[place];
    case 4:
      return c.s[place];
    default:
      c.high = c.s[place + 1];
      return c.s[place];
  }
};

/** A 32-bit write clears the upper half; narrower ones leave the rest alone. */
export const setRegister = (c: Cpu, place: number, size: number, lo: number, hi: number): void => {
  switch (size) {
    case 1:
      c.s8[place] = lo;
      return;
    case 2:
      c.s16[place] = lo;
      return;
    default:
      c.s[place] = lo;
      c.s[place + 1] = size === 8 ? hi : 0;
  }
};

/** Value at machine address `p`, zero-extended. */
export const peek = (c: Cpu, p: number, size: number): number => {
  c.high = 0;
  switch (size) {
    case 1:
      return c.dv.getUint8(p);
    case 2:
      return c.dv.getUint16(p, true);
    case 4:
      return c.dv.getInt32(p, true);
    default:
      c.high = c.dv.getInt32(p + 4, true);
      return c.dv.getInt32(p, true);
  }
};

export const poke = (c: Cpu, p: number, size: number, lo: number, hi: number): void => {
  switch (size) {
    case 1:
      c.dv.setUint8(p, lo);
      return;
    case 2:
      c.dv.setUint16(p, lo, true);
      return;
    case 4:
      c.dv.setInt32(p, lo, true);
      return;
    default:
      c.dv.setInt32(p, lo, true);
      c.dv.setInt32(p + 4, hi, true);
  }
};

/** Where the r/m operand that is read and written is: a machine address, or -1 for the register at `place`. */
export const locate = (c: Cpu, o: Op): number => (o.memory ? target(c, o, o.size - 1) : -1);

export const load = (c: Cpu, o: Op, p: number, place: number): number => (p < 0 ? getRegister(c, place, o.size) : peek(c, p, o.size));

export const store = (c: Cpu, o: Op, p: number, place: number, lo: number, hi: number): void => {
  if (p < 0) setRegister(c, place, o.size, lo, hi);
  else poke(c, p, o.size, lo, hi);
};

/** After an instruction that went by `locate` and `store`. */
export const after = (c: Cpu, o: Op): Op => next(c, o);
