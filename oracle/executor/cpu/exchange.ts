/** XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B. One CPU runs at a time, so LOCK has nothing to add. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linear, next, target, writable } from './address.ts';
import { add32, add64, sub32, sub64, topShift } from './arithmetic.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { arithmeticFlags, setArithmeticFlags, sizeKind, zero } from './flags.ts';
import type { Handler } from './op.ts';
import { after, getRegister, load, locate, setRegister, store } from './operand.ts';

const { ZF } = RFLAGS;

/** Places of RAX, RCX, RDX, RBX in the register file. */
const [A, C, D, B] = [0, 2, 4, 6];

export const xchg: Handler = (c, o) => {
  const p = locate(c, o);
  const lo = load(c, o, p, o.a);
  const hi = c.high;
  const other = getRegister(c, o.b, o.size);
  store(c, o, p, o.a, other, c.high);
  setRegister(c, o.b, o.size, lo, hi);
  return after(c, o);
};

/** Sum of two values of any size; the upper half in `cpu.high`. */
const add = (c: Cpu, size: number, al: number, ah: number, bl: number, bh: number): number => {
  if (size === 8) return add64(c, al, ah, bl, bh);
  const kind = sizeKind(size);
  const up = topShift(kind);
  return add32(c, al << up, bl << up, kind) >>> up;
};

export const xadd: Handler = (c, o) => {
  const p = locate(c, o);
  const lo = load(c, o, p, o.a);
  const hi = c.high;
  const other = getRegister(c, o.b, o.size);
  const sum = add(c, o.size, lo, hi, other, c.high);
  const sumHi = c.high;
  setRegister(c, o.b, o.size, lo, hi);
  store(c, o, p, o.a, sum, sumHi);
  return after(c, o);
};

/** A destination in memory is written in any case; a register, and the accumulator, only when the comparison says so. */
export const cmpxchg: Handler = (c, o) => {
  const { size } = o;
  const p = locate(c, o);
  const lo = load(c, o, p, o.a);
  const hi = c.high;
  const accumulator = getRegister(c, A, size);
  if (size === 8) sub64(c, accumulator, c.high, lo, hi);
  else {
    const kind = sizeKind(size);
    const up = topShift(kind);
    sub32(c, accumulator << up, lo << up, kind);
  }
  if (zero(c)) {
    const other = getRegister(c, o.b, size);
    store(c, o, p, o.a, other, c.high);
  } else {
    if (o.memory) store(c, o, p, o.a, lo, hi);
    setRegister(c, A, size, lo, hi);
  }
  return after(c, o);
};

const setZero = (c: Cpu, value: boolean): void => setArithmeticFlags(c, (arithmeticFlags(c) & ~ZF) | (value ? ZF : 0));

export const cmpxchg8b: Handler = (c, o) => {
  const { s, dv } = c;
  const p = target(c, o, 7);
  const lo = dv.getInt32(p, true);
  const hi = dv.getInt32(p + 4, true);
  const equal = lo === s[A] && hi === s[D];
  if (equal) {
    dv.setInt32(p, s[B], true);
    dv.setInt32(p + 4, s[C], true);
  } else {
    setRegister(c, A, 4, lo, 0);
    setRegister(c, D, 4, hi, 0);
  }
  setZero(c, equal);
  return next(c, o);
};

/** The operand must lie on a multiple of 16. */
export const cmpxchg16b: Handler = (c, o) => {
  const { s, dv } = c;
  const at = linear(c, o);
  if ((at & 15) !== 0) c.fault(GP, 0);
  const p = writable(c, o, at, c.high, 15);
  const old = [0, 4, 8, 12].map((i) => dv.getInt32(p + i, true));
  const equal = old[0] === s[A] && old[1] === s[A + 1] && old[2] === s[D] && old[3] === s[D + 1];
  if (equal) {
    for (const [i, value] of [s[B], s[B + 1], s[C], s[C + 1]].entries()) dv.setInt32(p + 4 * i, value, true);
  } else {
    setRegister(c, A, 8, old[0], old[1]);
    setRegister(c, D, 8, old[2], old[3]);
  }
  setZero(c, equal);
  return next(c, o);
};
