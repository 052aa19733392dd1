/** Products of 64-bit words, 128 bits wide. */
import { add, sub, Word, ZERO } from './word.ts';

/** 128 bits as two words. */
export type Wide = { readonly high: Word; readonly low: Word };

/** 32 × 32 → 64 bits, unsigned, by 16-bit halves so that no partial product loses bits. */
export const multiply32 = (a: number, b: number): Word => {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const cross = a0 * b1 + (middle % 0x10000);
  const high = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
  return new Word(high | 0, Math.imul(a, b));
};

/** 64 × 64 → 128 bits, unsigned. */
export const multiplyUnsigned = (a: Word, b: Word): Wide => {
  const low = multiply32(a.lo, b.lo);
  const first = multiply32(a.lo, b.hi);
  const second = multiply32(a.hi, b.lo);
  const top = multiply32(a.hi, b.hi);
  const middle = (first.lo >>> 0) + (second.lo >>> 0) + (low.hi >>> 0);
  const carry = Math.floor(middle / 0x1_0000_0000);
  const high = add(add(top, new Word(0, first.hi)), add(new Word(0, second.hi), new Word(0, carry)));
  return { high, low: new Word(middle | 0, low.lo) };
};

/** 64 × 64 → 128 bits, signed: a negative factor counts 2⁶⁴ too much of the other one. */
export const multiplySigned = (a: Word, b: Word): Wide => {
  const { high, low } = multiplyUnsigned(a, b);
  const lessA = sub(high, a.hi < 0 ? b : ZERO);
  return { high: sub(lessA, b.hi < 0 ? a : ZERO), low };
};
