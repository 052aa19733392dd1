/**
 * A 64-bit value as two int32 halves: the only number that registers and memory hold. Everything here is pure; overflow
 * wraps, as in hardware. BigInt would read better but costs three times the time (see the benchmark).
 */
export class Word {
  readonly hi: number;
  readonly lo: number;
  /** Both halves must already be int32 (`x | 0`). */
  constructor(hi: number, lo: number) {
    this.hi = hi;
    this.lo = lo;
  }
}

export const ZERO = new Word(0, 0);
export const ONE = new Word(0, 1);
export const ALL_ONES = new Word(-1, -1);

/** A word from any two integers that JavaScript's `| 0` understands. */
export const word = (hi: number, lo: number): Word => new Word(hi | 0, lo | 0);

/** From an integer that is exact as a JavaScript number, negative ones in two's complement. */
export const fromNumber = (n: number): Word => new Word(Math.floor(n / 0x1_0000_0000) | 0, n | 0);

/** As an unsigned number; exact below 2⁵³. */
export const toNumber = (a: Word): number => (a.hi >>> 0) * 0x1_0000_0000 + (a.lo >>> 0);

/** The value as a signed number; exact below 2^53 in either direction. */
export const toSigned = (a: Word): number => a.hi * 0x1_0000_0000 + (a.lo >>> 0);

export const fromBigInt = (n: bigint): Word => new Word(Number(BigInt.asIntN(32, n >> 32n)), Number(BigInt.asIntN(32, n)));
export const toBigInt = (a: Word): bigint => (BigInt(a.hi >>> 0) << 32n) | BigInt(a.lo >>> 0);

/** `0x` and lower-case digits without leading zeros, as observations and events write it. */
export const toHex = ({ hi, lo }: Word): string => {
  const slot = (lo ^ (lo >>> 9) ^ Math.imul(hi, 0x9e3779b1)) & (HEX_SLOTS - 1);
  if (hexLo[slot] === lo && hexHi[slot] === hi && hexText[slot] !== '') return hexText[slot];
  hexLo[slot] = lo;
  hexHi[slot] = hi;
  hexText[slot] = hi === 0 ? `0x${(lo >>> 0).toString(16)}` : `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
  return hexText[slot];
};
/** Texts made before, since events tell the same few values again and again. */
const HEX_SLOTS = 4096;
const hexLo = new Int32Array(HEX_SLOTS);
const hexHi = new Int32Array(HEX_SLOTS);
const hexText = new Array<string>(HEX_SLOTS).fill('');

export const fromHex = (text: string): Word => fromBigInt(BigInt(text));

export const equal = (a: Word, b: Word): boolean => a.lo === b.lo && a.hi === b.hi;
export const isZero = (a: Word): boolean => (a.lo | a.hi) === 0;
/** Unsigned a < b. */
export const below = (a: Word, b: Word): boolean => (a.hi === b.hi ? a.lo >>> 0 < b.lo >>> 0 : a.hi >>> 0 < b.hi >>> 0);
/** Signed a < b. */
export const less = (a: Word, b: Word): boolean => (a.hi === b.hi ? a.lo >>> 0 < b.lo >>> 0 : a.hi < b.hi);

/** a + b + carry. The carry out of the low half is read off the operands' and the sum's top bits. */
export const add = (a: Word, b: Word, carry = 0): Word => {
  const lo = (a.lo + b.lo + carry) | 0;
  const out = ((a.lo & b.lo) | ((a.lo | b.lo) & ~lo)) >>> 31;
  return new Word((a.hi + b.hi + out) | 0, lo);
};
/** a − b − borrow. */
export const sub = (a: Word, b: Word, borrow = 0): Word => {
  const lo = (a.lo - b.lo - borrow) | 0;
  const out = ((~a.lo & b.lo) | (~(a.lo ^ b.lo) & lo)) >>> 31;
  return new Word((a.hi - b.hi - out) | 0, lo);
};
/** a + n for a signed 32-bit n. */
export const addInt = (a: Word, n: number): Word => {
  const lo = (a.lo + n) | 0;
  const out = ((a.lo & n) | ((a.lo | n) & ~lo)) >>> 31;
  return new Word((a.hi + (n >> 31) + out) | 0, lo);
};
export const neg = (a: Word): Word => sub(ZERO, a);

export const and = (a: Word, b: Word): Word => new Word(a.hi & b.hi, a.lo & b.lo);
export const or = (a: Word, b: Word): Word => new Word(a.hi | b.hi, a.lo | b.lo);
export const xor = (a: Word, b: Word): Word => new Word(a.hi ^ b.hi, a.lo ^ b.lo);
export const not = (a: Word): Word => new Word(~a.hi, ~a.lo);

/** Shifts by 0 to 63. */
export const shl = (a: Word, n: number): Word => {
  if (n === 0) return a;
  if (n >= 32) return new Word(a.lo << (n - 32), 0);
  return new Word((a.hi << n) | (a.lo >>> (32 - n)), a.lo << n);
};
/** Logical right shift. */
export const shr = (a: Word, n: number): Word => {
  if (n === 0) return a;
  if (n >= 32) return new Word(0, (a.hi >>> (n - 32)) | 0);
  return new Word((a.hi >>> n) | 0, (a.lo >>> n) | (a.hi << (32 - n)));
};
/** Arithmetic right shift. */
export const sar = (a: Word, n: number): Word => {
  if (n === 0) return a;
  if (n >= 32) return new Word(a.hi >> 31, a.hi >> (n - 32));
  return new Word(a.hi >> n, (a.lo >>> n) | (a.hi << (32 - n)));
};

/** Bit n (0 to 63) as 0 or 1. */
export const bit = (a: Word, n: number): number => (n < 32 ? a.lo >>> n : a.hi >>> (n - 32)) & 1;
/** 2ⁿ for n from 0 to 63. */
export const bitMask = (n: number): Word => (n < 32 ? new Word(0, 1 << n) : new Word(1 << (n - 32), 0));
