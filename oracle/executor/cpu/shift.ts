/** Shifts and rotates. Counts are masked to 5 bits (6 for 64-bit operands) first; a masked count of 0 changes no flag. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from './cpu.ts';
import { carry, SIZE64, setCarryOverflow, setPartial, sizeKind } from './flags.ts';
import type { Handler, Op } from './op.ts';
import { after, getRegister, load, locate, store } from './operand.ts';

const { CF, OF } = RFLAGS;

/** Low and high half of a 64-bit value moved by 0 to 63 places. */
export const shlLow = (lo: number, n: number): number => (n > 31 ? 0 : lo << n);
export const shlHigh = (lo: number, hi: number, n: number): number => (n > 31 ? lo << n : (hi << n) | ((lo >>> 1) >>> (31 - n)));
export const shrLow = (lo: number, hi: number, n: number): number => (n > 31 ? hi >>> n : (lo >>> n) | ((hi << 1) << (31 - n)));
export const shrHigh = (hi: number, n: number): number => (n > 31 ? 0 : hi >>> n);
export const sarLow = (lo: number, hi: number, n: number): number => (n > 31 ? hi >> n : (lo >>> n) | ((hi << 1) << (31 - n)));
export const sarHigh = (hi: number, n: number): number => (n > 31 ? hi >> 31 : hi >> n);

/** Bit n (0 to 63). */
const bit = (lo: number, hi: number, n: number): number => (n > 31 ? hi >>> n : lo >>> n) & 1;

/** The result of a shift of `size` bytes by a count above 0: flags set, low half returned, high in `cpu.high`. */
export type Shift = (c: Cpu, size: number, lo: number, hi: number, n: number) => number;

/** Flags S, Z, P by the result, C and O as given; O is defined for a count of 1 only. */
const finish = (c: Cpu, size: number, n: number, out: number, over: number, lo: number, hi: number): number => {
  const bits = (out !== 0 ? CF : 0) | (n === 1 && over !== 0 ? OF : 0);
  if (size === 8) setPartial(c, SIZE64, bits, lo, hi);
  else setPartial(c, sizeKind(size), bits, 0, lo << (32 - 8 * size));
  c.high = hi;
  return lo;
};

const shl: Shift = (c, size, lo, hi, n) => {
  const width = 8 * size;
  if (size === 8) {
    const rh = shlHigh(lo, hi, n);
    const out = bit(lo, hi, 64 - n);
    return finish(c, 8, n, out, out ^ (rh >>> 31), shlLow(lo, n), rh);
  }
  const out = n > width ? 0 : (lo >>> (width - n)) & 1;
  const r = lo << n;
  return finish(c, size, n, out, out ^ ((r >>> (width - 1)) & 1), r, 0);
};

const shr: Shift = (c, size, lo, hi, n) => {
  if (size === 8) return finish(c, 8, n, bit(lo, hi, n - 1), hi >>> 31, shrLow(lo, hi, n), shrHigh(hi, n));
  const width = 8 * size;
  return finish(c, size, n, (lo >>> (n - 1)) & 1, (lo >>> (width - 1)) & 1, lo >>> n, 0);
};

const sar: Shift = (c, size, lo, hi, n) => {
  if (size === 8) return finish(c, 8, n, bit(lo, hi, n - 1), 0, sarLow(lo, hi, n), sarHigh(hi, n));
  const top = 32 - 8 * size;
  const wide = (lo << top) >> top;
  return finish(c, size, n, (wide >> (n - 1)) & 1, 0, wide >> n, 0);
};

/** The bit at the top of a value of `size` bytes, and the one below it. */
const top = (size: number, lo: number, hi: number): number => bit(lo, hi, 8 * size - 1);
const belowTop = (size: number, lo: number, hi: number): number => bit(lo, hi, 8 * size - 2);

const rotated = (c: Cpu, n: number, out: number, over: number, lo: number, hi: number): number => {
  setCarryOverflow(c, (out !== 0 ? CF : 0) | (n === 1 && over !== 0 ? OF : 0));
  c.high = hi;
  return lo;
};

/** A value of `size` bytes turned left by n, less than its width; the upper half in `cpu.high`. */
const turn = (c: Cpu, size: number, lo: number, hi: number, n: number): number => {
  if (size === 8) {
    c.high = n === 0 ? hi : shlHigh(lo, hi, n) | shrHigh(hi, 64 - n);
    return n === 0 ? lo : shlLow(lo, n) | shrLow(lo, hi, 64 - n);
  }
  c.high = 0;
  if (size === 4) return (lo << n) | ((lo >>> 1) >>> (31 - n));
  const width = 8 * size;
  return ((lo << n) | (lo >>> (width - n))) & (width === 8 ? 0xff : 0xffff);
};

const rol: Shift = (c, size, lo, hi, n) => {
  const r = turn(c, size, lo, hi, n & (8 * size - 1));
  const out = r & 1;
  return rotated(c, n, out, out ^ top(size, r, c.high), r, c.high);
};

const ror: Shift = (c, size, lo, hi, n) => {
  const width = 8 * size;
  const r = turn(c, size, lo, hi, (width - (n & (width - 1))) & (width - 1));
  const out = top(size, r, c.high);
  return rotated(c, n, out, out ^ belowTop(size, r, c.high), r, c.high);
};

/** Through carry, one place at a time: rare. */
const rcl: Shift = (c, size, lo, hi, n) => {
  let out = carry(c) ? 1 : 0;
  const width = 8 * size;
  for (let i = size < 4 ? n % (width + 1) : n; i > 0; i--) {
    const lost = top(size, lo, hi);
    if (size === 8) hi = (hi << 1) | (lo >>> 31);
    lo = (lo << 1) | out;
    out = lost;
  }
  return rotated(c, n, out, out ^ top(size, lo, hi), lo, hi);
};

const rcr: Shift = (c, size, lo, hi, n) => {
  let out = carry(c) ? 1 : 0;
  const width = 8 * size;
  for (let i = size < 4 ? n % (width + 1) : n; i > 0; i--) {
    const lost = lo & 1;
    if (size === 8) {
      lo = (lo >>> 1) | (hi << 31);
      hi = (hi >>> 1) | (out << 31);
    } else lo = (lo >>> 1) | (out << (width - 1));
    out = lost;
  }
  return rotated(c, n, out, top(size, lo, hi) ^ belowTop(size, lo, hi), lo, hi);
};

export const SHIFTS: Readonly<Record<string, Shift>> = { rol, ror, rcl, rcr, shl, shr, sar };

const apply = (c: Cpu, o: Op, shift: Shift, count: number): Op => {
  const p = locate(c, o);
  const lo = load(c, o, p, o.a);
  const n = count & (o.size === 8 ? 63 : 31);
  if (n === 0) store(c, o, p, o.a, lo, c.high);
  else {
    const r = shift(c, o.size, lo, c.high, n);
    store(c, o, p, o.a, r, c.high);
  }
  return after(c, o);
};

/** Any operand, count in the immediate or in CL. */
export const byImmediate =
  (shift: Shift): Handler =>
  (c, o) =>
    apply(c, o, shift, o.imm);
export const byCl =
  (shift: Shift): Handler =>
  (c, o) =>
    apply(c, o, shift, c.s8[8]);

const set64 = (c: Cpu, o: Op, lo: number): Op => {
  c.s[o.a] = lo;
  c.s[o.a + 1] = c.high;
  return o.next;
};
const set32 = (c: Cpu, o: Op, lo: number): Op => {
  c.s[o.a] = lo;
  c.s[o.a + 1] = 0;
  return o.next;
};

/** Register by an immediate count, already masked and above 0: the forms that compilers use. */
export const BY_CONSTANT64: Readonly<Record<string, Handler>> = {
  shl: (c, o) => set64(c, o, shl(c, 8, c.s[o.a], c.s[o.a + 1], o.imm)),
  shr: (c, o) => set64(c, o, shr(c, 8, c.s[o.a], c.s[o.a + 1], o.imm)),
  sar: (c, o) => set64(c, o, sar(c, 8, c.s[o.a], c.s[o.a + 1], o.imm)),
  rol: (c, o) => set64(c, o, rol(c, 8, c.s[o.a], c.s[o.a + 1], o.imm)),
  ror: (c, o) => set64(c, o, ror(c, 8, c.s[o.a], c.s[o.a + 1], o.imm)),
};
export const BY_CONSTANT32: Readonly<Record<string, Handler>> = {
  shl: (c, o) => set32(c, o, shl(c, 4, c.s[o.a], 0, o.imm)),
  shr: (c, o) => set32(c, o, shr(c, 4, c.s[o.a], 0, o.imm)),
  sar: (c, o) => set32(c, o, sar(c, 4, c.s[o.a], 0, o.imm)),
  rol: (c, o) => set32(c, o, rol(c, 4, c.s[o.a], 0, o.imm)),
  ror: (c, o) => set32(c, o, ror(c, 4, c.s[o.a], 0, o.imm)),
};

/**
 * SHLD and SHRD. 16-bit operands with a masked count above 16 keep their value (spec/isa/x86/undefined.ts); S, Z, P follow it.
 */
const double = (c: Cpu, o: Op, count: number, left: boolean): Op => {
  const { size } = o;
  const p = locate(c, o);
  const lo = load(c, o, p, o.a);
  const hi = c.high;
  const n = count & (size === 8 ? 63 : 31);
  if (n === 0) {
    store(c, o, p, o.a, lo, hi);
    return after(c, o);
  }
  const fill = getRegister(c, o.b, size);
  const r = size === 2 && n > 16 ? finish(c, 2, n, 0, 0, lo, 0) : join(c, size, lo, hi, fill, c.high, n, left);
  store(c, o, p, o.a, r, c.high);
  return after(c, o);
};

const join = (c: Cpu, size: number, lo: number, hi: number, fillLo: number, fillHi: number, n: number, left: boolean): number => {
  const width = 8 * size;
  const out = left ? bit(lo, hi, width - n) : bit(lo, hi, n - 1);
  let rl: number;
  let rh = 0;
  if (size === 8) {
    const back = 64 - n;
    rl = left ? shlLow(lo, n) | shrLow(fillLo, fillHi, back) : shrLow(lo, hi, n) | shlLow(fillLo, back);
    rh = left ? shlHigh(lo, hi, n) | shrHigh(fillHi, back) : shrHigh(hi, n) | shlHigh(fillLo, fillHi, back);
  } else if (size === 4) rl = left ? (lo << n) | (fillLo >>> (32 - n)) : (lo >>> n) | (fillLo << (32 - n));
  else rl = left ? (lo << n) | (fillLo >>> (16 - n)) : (lo >>> n) | (fillLo << (16 - n));
  return finish(c, size, n, out, top(size, lo, hi) ^ top(size, rl, rh), rl, rh);
};

export const shldImmediate: Handler = (c, o) => double(c, o, o.imm, true);
export const shldCl: Handler = (c, o) => double(c, o, c.s8[8], true);
export const shrdImmediate: Handler = (c, o) => double(c, o, o.imm, false);
export const shrdCl: Handler = (c, o) => double(c, o, c.s8[8], false);
