/** The arithmetic flags of results. Operands and results are zero-extended; see spec/isa/x86/flags.ts for who sets what. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { type Size, signBit } from '../../word/size.ts';
import type { Word } from '../../word/word.ts';

export const { CF, PF, AF, ZF, SF, OF, DF, TF, IF, NT, RF, AC, ID } = RFLAGS;
/** The six flags that arithmetic sets. */
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

/** PF: the low byte has an even number of ones. The constant holds the parity of each 4-bit number. */
const parity = (lo: number): number => ((0x9669 >>> ((lo ^ (lo >>> 4)) & 15)) & 1) << 2;

/** SF, ZF and PF of a result. */
export const resultFlags = (r: Word, size: Size): number => (signBit(r, size) << 7) | ((r.lo | r.hi) === 0 ? ZF : 0) | parity(r.lo);

/** Flags of r = a + b + carry. A bit carries out where both operands have it, or one has it and the sum lost it. */
export const addFlags = (flags: number, a: Word, b: Word, r: Word, size: Size): number => {
  const x = size === 8 ? a.hi : a.lo;
  const y = size === 8 ? b.hi : b.lo;
  const z = size === 8 ? r.hi : r.lo;
  const top = size >= 4 ? 31 : 8 * size - 1;
  const carry = (((x & y) | ((x | y) & ~z)) >>> top) & 1;
  const overflow = (((x ^ z) & (y ^ z)) >>> top) & 1;
  return (flags & ~ARITHMETIC) | resultFlags(r, size) | ((a.lo ^ b.lo ^ r.lo) & AF) | carry | (overflow << 11);
};

/** Flags of r = a − b − borrow. A bit borrows where only b has it, or both agree and the difference has it. */
export const subFlags = (flags: number, a: Word, b: Word, r: Word, size: Size): number => {
  const x = size === 8 ? a.hi : a.lo;
  const y = size === 8 ? b.hi : b.lo;
  const z = size === 8 ? r.hi : r.lo;
  const top = size >= 4 ? 31 : 8 * size - 1;
  const borrow = (((~x & y) | (~(x ^ y) & z)) >>> top) & 1;
  const overflow = (((x ^ y) & (x ^ z)) >>> top) & 1;
  return (flags & ~ARITHMETIC) | resultFlags(r, size) | ((a.lo ^ b.lo ^ r.lo) & AF) | borrow | (overflow << 11);
};

/** Flags of AND, OR, XOR, TEST: CF and OF are cleared, and so is AF, which is undefined. */
export const logicFlags = (flags: number, r: Word, size: Size): number => (flags & ~ARITHMETIC) | resultFlags(r, size);

/** `flags` with the bits of `mask` replaced by `on`. */
export const setFlags = (flags: number, mask: number, on: number): number => (flags & ~mask) | on;
