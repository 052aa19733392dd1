/** INC, DEC, NOT, NEG, SETcc, CMOVcc. */
import { next, source, target } from './address.ts';
import { dec32, dec64, inc32, inc64, sub32, sub64, topShift } from './arithmetic.ts';
import { condition } from './condition.ts';
import type { Cpu } from './cpu.ts';
import { SIZE32, sizeKind } from './flags.ts';
import type { Handler, Op } from './op.ts';
import { after, getRegister, load, locate, peek, setRegister, store } from './operand.ts';

/** A function of one narrow value at the top of 32 bits. */
type Narrow = (c: Cpu, a: number, size: number) => number;
/** A function of a 64-bit value; the upper half of the result in `cpu.high`. */
type Wide = (c: Cpu, lo: number, hi: number) => number;

const neg64: Wide = (c, lo, hi) => sub64(c, 0, 0, lo, hi);
const neg32: Narrow = (c, a, size) => sub32(c, 0, a, size);

const set64 = (c: Cpu, o: Op, lo: number): Op => {
  c.s[o.a] = lo;
  c.s[o.a + 1] = c.high;
  return o.next;
};
const set32 = (c: Cpu, o: Op, value: number): Op => {
  c.s[o.a] = value;
  c.s[o.a + 1] = 0;
  return o.next;
};

/** Registers of 64 and 32 bits: what loops count with. */
export const UNARY64: Readonly<Record<string, Handler>> = {
  inc: (c, o) => set64(c, o, inc64(c, c.s[o.a], c.s[o.a + 1])),
  dec: (c, o) => set64(c, o, dec64(c, c.s[o.a], c.s[o.a + 1])),
  neg: (c, o) => set64(c, o, neg64(c, c.s[o.a], c.s[o.a + 1])),
};
export const UNARY32: Readonly<Record<string, Handler>> = {
  inc: (c, o) => set32(c, o, inc32(c, c.s[o.a], SIZE32)),
  dec: (c, o) => set32(c, o, dec32(c, c.s[o.a], SIZE32)),
  neg: (c, o) => set32(c, o, neg32(c, c.s[o.a], SIZE32)),
};

const any =
  (wide: Wide, narrow: Narrow): Handler =>
  (c, o) => {
    const p = locate(c, o);
    const lo = load(c, o, p, o.a);
    if (o.size === 8) {
      const r = wide(c, lo, c.high);
      store(c, o, p, o.a, r, c.high);
    } else {
      const kind = sizeKind(o.size);
      const up = topShift(kind);
      store(c, o, p, o.a, narrow(c, lo << up, kind) >>> up, 0);
    }
    return after(c, o);
  };

/** Any size, register or memory. */
export const UNARY: Readonly<Record<string, Handler>> = {
  inc: any(inc64, inc32),
  dec: any(dec64, dec32),
  neg: any(neg64, neg32),
  not: (c, o) => {
    const p = locate(c, o);
    const lo = load(c, o, p, o.a);
    store(c, o, p, o.a, ~lo, ~c.high);
    return after(c, o);
  },
};

/** SETcc; the condition's number is in `immHi`. */
export const set: Handler = (c, o) => {
  const p = o.memory ? target(c, o, 0) : -1;
  const value = condition(c, o.immHi) ? 1 : 0;
  if (p < 0) c.s8[o.a] = value;
  else c.dv.setUint8(p, value);
  return next(c, o);
};

/** CMOVcc: the source is read in any case, and a 32-bit destination zero-extended in any case. */
export const cmov: Handler = (c, o) => {
  const { size } = o;
  const lo = o.memory ? peek(c, source(c, o, size - 1), size) : getRegister(c, o.b, size);
  const hi = c.high;
  if (condition(c, o.immHi)) setRegister(c, o.a, size, lo, hi);
  else if (size === 4) c.s[o.a + 1] = 0;
  return o.next;
};
