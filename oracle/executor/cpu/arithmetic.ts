/**
 * Sums, differences and logic with their lazy flags. 64-bit: low half returned, high half in `cpu.high`. Narrow: operands and result at the
 * top of 32 bits; `size` is SIZE8, SIZE16 or SIZE32 of flags.ts.
 */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from './cpu.ts';
import { ADD, carry, DEC, INC, PARTIAL, SIZE64, SUB } from './flags.ts';
import { BITS, FIRST, KIND, RESULT } from './layout.ts';

const { CF, AF, OF } = RFLAGS;

export const add64 = (c: Cpu, al: number, ah: number, bl: number, bh: number): number => {
  const s = c.s;
  const rl = (al + bl) | 0;
  const rh = (ah + bh + (rl >>> 0 < al >>> 0 ? 1 : 0)) | 0;
  s[KIND] = ADD | SIZE64;
  s[FIRST] = al;
  s[FIRST + 1] = ah;
  s[RESULT] = rl;
  s[RESULT + 1] = rh;
  c.high = rh;
  return rl;
};

export const sub64 = (c: Cpu, al: number, ah: number, bl: number, bh: number): number => {
  const s = c.s;
  const rl = (al - bl) | 0;
  const rh = (ah - bh - (al >>> 0 < bl >>> 0 ? 1 : 0)) | 0;
  s[KIND] = SUB | SIZE64;
  s[FIRST] = al;
  s[FIRST + 1] = ah;
  s[RESULT] = rl;
  s[RESULT + 1] = rh;
  c.high = rh;
  return rl;
};

/** Flags of a logical operation with result `hi:lo`. */
export const logic64 = (c: Cpu, lo: number, hi: number): number => {
  const s = c.s;
  s[KIND] = PARTIAL | SIZE64;
  s[BITS] = 0;
  s[RESULT] = lo;
  s[RESULT + 1] = hi;
  c.high = hi;
  return lo;
};

export const add32 = (c: Cpu, a: number, b: number, size: number): number => {
  const s = c.s;
  const r = (a + b) | 0;
  s[KIND] = ADD | size;
  s[FIRST] = 0;
  s[FIRST + 1] = a;
  s[RESULT] = 0;
  s[RESULT + 1] = r;
  return r;
};

export const sub32 = (c: Cpu, a: number, b: number, size: number): number => {
  const s = c.s;
  const r = (a - b) | 0;
  s[KIND] = SUB | size;
  s[FIRST] = 0;
  s[FIRST + 1] = a;
  s[RESULT] = 0;
  s[RESULT + 1] = r;
  return r;
};

export const logic32 = (c: Cpu, r: number, size: number): number => {
  const s = c.s;
  s[KIND] = PARTIAL | size;
  s[BITS] = 0;
  s[RESULT] = 0;
  s[RESULT + 1] = r;
  return r;
};

/** Flags of a sum or difference with carry in, worked out at once: C by `out`, O by `over`, A by `nibble`. */
const settled = (c: Cpu, size: number, out: boolean, over: number, nibble: number, lo: number, hi: number): void => {
  const s = c.s;
  s[KIND] = PARTIAL | size;
  s[BITS] = (out ? CF : 0) | (over < 0 ? OF : 0) | (nibble & AF);
  s[RESULT] = lo;
  s[RESULT + 1] = hi;
};

export const adc64 = (c: Cpu, al: number, ah: number, bl: number, bh: number): number => {
  const first = carry(c) ? 1 : 0;
  const low = (al >>> 0) + (bl >>> 0) + first;
  const high = (ah >>> 0) + (bh >>> 0) + (low > 0xffffffff ? 1 : 0);
  const rl = low | 0;
  const rh = high | 0;
  settled(c, SIZE64, high > 0xffffffff, (rh ^ ah) & (rh ^ bh), al ^ bl ^ rl, rl, rh);
  c.high = rh;
  return rl;
};

export const sbb64 = (c: Cpu, al: number, ah: number, bl: number, bh: number): number => {
  const first = carry(c) ? 1 : 0;
  const low = (al >>> 0) - (bl >>> 0) - first;
  const high = (ah >>> 0) - (bh >>> 0) - (low < 0 ? 1 : 0);
  const rl = low | 0;
  const rh = high | 0;
  settled(c, SIZE64, high < 0, (ah ^ bh) & (ah ^ rh), al ^ bl ^ rl, rl, rh);
  c.high = rh;
  return rl;
};

/** How far a value of this size is shifted up to stand at the top of 32 bits. */
export const topShift = (size: number): number => (size === 0 ? 24 : size === 8 ? 16 : 0);

export const adc32 = (c: Cpu, a: number, b: number, size: number): number => {
  const shift = topShift(size);
  const sum = (a >>> 0) + (b >>> 0) + (carry(c) ? 1 << shift : 0);
  const r = sum | 0;
  settled(c, size, sum > 0xffffffff, (r ^ a) & (r ^ b), (a ^ b ^ r) >>> shift, 0, r);
  return r;
};

export const sbb32 = (c: Cpu, a: number, b: number, size: number): number => {
  const shift = topShift(size);
  const difference = (a >>> 0) - (b >>> 0) - (carry(c) ? 1 << shift : 0);
  const r = difference | 0;
  settled(c, size, difference < 0, (a ^ b) & (a ^ r), (a ^ b ^ r) >>> shift, 0, r);
  return r;
};

/** INC and DEC leave C alone: it moves into BITS before the new result hides it. */
const keepCarry = (c: Cpu): void => {
  const s = c.s;
  const kind = s[KIND] & 7;
  if (kind === ADD || kind === SUB) s[BITS] = carry(c) ? CF : 0;
};

export const inc64 = (c: Cpu, al: number, ah: number): number => {
  keepCarry(c);
  const r = add64(c, al, ah, 1, 0);
  c.s[KIND] = INC | SIZE64;
  return r;
};
export const dec64 = (c: Cpu, al: number, ah: number): number => {
  keepCarry(c);
  const r = sub64(c, al, ah, 1, 0);
  c.s[KIND] = DEC | SIZE64;
  return r;
};
export const inc32 = (c: Cpu, a: number, size: number): number => {
  keepCarry(c);
  const r = add32(c, a, 1 << topShift(size), size);
  c.s[KIND] = INC | size;
  return r;
};
export const dec32 = (c: Cpu, a: number, size: number): number => {
  keepCarry(c);
  const r = sub32(c, a, 1 << topShift(size), size);
  c.s[KIND] = DEC | size;
  return r;
};
