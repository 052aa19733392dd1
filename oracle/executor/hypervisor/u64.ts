/**
 * 64-bit values without BigInt on the paths that a guest takes often: a mutable cell of two int32 halves, and the few
 * functions that the hypervisor needs of it.
 */

export const TWO32 = 0x1_0000_0000;

/** A 64-bit register or field that the hypervisor keeps, as two int32 halves. */
export class U64 {
  lo = 0;
  hi = 0;

  set(lo: number, hi: number): void {
    this.lo = lo | 0;
    this.hi = hi | 0;
  }

  isZero(): boolean {
    return (this.lo | this.hi) === 0;
  }
}

/** The value as an unsigned JavaScript number: exact below 2^53, rounded once above. */
export const unsigned = (lo: number, hi: number): number => (hi >>> 0) * TWO32 + (lo >>> 0);

/** The value as a signed JavaScript number: exact between -2^53 and 2^53, rounded once beyond. */
export const signed = (lo: number, hi: number): number => (hi | 0) * TWO32 + (lo >>> 0);

/** High half (int32) of a JavaScript integer, sign included. */
export const highHalf = (n: number): number => Math.floor(n / TWO32) | 0;

/** A canonical address: bits 63 to 47 are equal. */
export const isCanonical = (hi: number): boolean => {
  const top = hi >> 15;
  return top === 0 || top === -1;
};

const MEMO_BITS = 12;
const memoLo = new Int32Array(1 << MEMO_BITS);
const memoHi = new Int32Array(1 << MEMO_BITS).fill(-1);
const memoText: string[] = new Array(1 << MEMO_BITS).fill('0xffffffff00000000');
/** Odd, its bits well mixed: the upper bits of a product with it depend on all bits below. */
const SPREAD = 0x9e3779b1;

/**
 * `0x` and lower-case digits without leading zeros: the spelling of 64-bit values in events and observations. Guests make the same calls
 * again and again, so spellings are kept.
 */
export const hexText = (lo: number, hi: number): string => {
  const slot = Math.imul(lo ^ Math.imul(hi, SPREAD), SPREAD) >>> (32 - MEMO_BITS);
  if (memoLo[slot] === lo && memoHi[slot] === hi) return memoText[slot];
  const text = spell(lo, hi);
  memoLo[slot] = lo;
  memoHi[slot] = hi;
  memoText[slot] = text;
  return text;
};

const spell = (lo: number, hi: number): string => {
  if (hi === 0) return `0x${(lo >>> 0).toString(16)}`;
  return `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
};
