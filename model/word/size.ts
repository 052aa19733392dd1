/** Operand sizes in bytes, and what it means to look at a word through one. */
import { Word } from './word.ts';

export type Size = 1 | 2 | 4 | 8;

/** The low `size` bytes, the rest zero. */
export const zeroExtend = (a: Word, size: Size): Word => {
  if (size === 8 || (size === 4 && a.hi === 0)) return a;
  return new Word(0, size === 4 ? a.lo : size === 2 ? a.lo & 0xffff : a.lo & 0xff);
};

/** The low `size` bytes, the rest copies of their top bit. */
export const signExtend = (a: Word, size: Size): Word => {
  if (size === 8) return a;
  const lo = size === 4 ? a.lo : size === 2 ? (a.lo << 16) >> 16 : (a.lo << 24) >> 24;
  return new Word(lo >> 31, lo);
};

/** The top bit of the low `size` bytes: 0 or 1. */
export const signBit = (a: Word, size: Size): number => {
  if (size === 8) return a.hi >>> 31;
  return (a.lo >>> (8 * size - 1)) & 1;
};

/** `old` with its low `size` bytes replaced, for sizes 1 and 2. */
export const mergeLow = (old: Word, value: Word, size: 1 | 2): Word => {
  const mask = size === 2 ? 0xffff : 0xff;
  return new Word(old.hi, (old.lo & ~mask) | (value.lo & mask));
};
