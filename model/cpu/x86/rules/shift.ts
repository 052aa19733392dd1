/** Shifts. The count is taken modulo 32, or modulo 64 for 64-bit operands; a count of zero changes no flag. */
import { type Size, signBit, signExtend, zeroExtend } from '../../../word/size.ts';
import { bit, or, sar, shl, shr, type Word } from '../../../word/word.ts';
import { ARITHMETIC, resultFlags, setFlags } from '../flags.ts';
import { finish, read, readToWrite } from '../operand.ts';
import type { Rules, Semantics } from '../running.ts';

/** The count that counts. */
export const maskedCount = (count: Word, size: Size): number => count.lo & (size === 8 ? 63 : 31);

/** SF ZF PF by the result; AF, and OF for counts other than one, are undefined: x86/undefined-flags_clear. */
const shiftFlags = (flags: number, r: Word, size: Size, carry: number, overflow: number): number =>
  setFlags(flags, ARITHMETIC, resultFlags(r, size) | carry | (overflow << 11));

/** SHL: the last bit shifted out goes to CF; OF for a count of one: did the top bit change. */
const shlRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const bits = 8 * size;
  const r = zeroExtend(shl(a, n), size);
  const carry = n <= bits ? bit(a, bits - n) : 0;
  return finish(s, i, i.dst, r, shiftFlags(s.flags, r, size, carry, n === 1 ? carry ^ signBit(r, size) : 0));
};

/** SHR: as SHL to the right; OF for a count of one: the old top bit. */
const shrRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const r = shr(a, n);
  return finish(s, i, i.dst, r, shiftFlags(s.flags, r, size, bit(a, n - 1), n === 1 ? signBit(a, size) : 0));
};

/** SAR: the top bit fills up; OF for a count of one is 0. */
const sarRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const n = maskedCount(read(s, i, i.src), size);
  if (n === 0) return finish(s, i, i.dst, a);
  const wide = signExtend(a, size);
  const r = zeroExtend(sar(wide, n), size);
  return finish(s, i, i.dst, r, shiftFlags(s.flags, r, size, bit(wide, n - 1), 0));
};

/** Undefined: 16-bit double shifts by more than 16 keep the destination, and SZP follow it (spec/isa/x86/undefined.ts). */
const tooFar = (n: number, size: Size): boolean => n > 8 * size;

/** SHLD: shift DEST left, the top bits of SRC follow from the right. OF for a count of one: did the top bit change. */
const shldRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const bits = 8 * size;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const n = maskedCount(read(s, i, i.third), size);
  if (n === 0) return finish(s, i, i.dst, a);
  if (tooFar(n, size)) return finish(s, i, i.dst, a, shiftFlags(s.flags, a, size, 0, 0));
  const r = zeroExtend(or(shl(a, n), shr(b, bits - n)), size);
  return finish(s, i, i.dst, r, shiftFlags(s.flags, r, size, bit(a, bits - n), n === 1 ? signBit(a, size) ^ signBit(r, size) : 0));
};

/** SHRD: shift DEST right, the low bits of SRC follow from the left. */
const shrdRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const bits = 8 * size;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const n = maskedCount(read(s, i, i.third), size);
  if (n === 0) return finish(s, i, i.dst, a);
  if (tooFar(n, size)) return finish(s, i, i.dst, a, shiftFlags(s.flags, a, size, 0, 0));
  const r = zeroExtend(or(shr(a, n), shl(b, bits - n)), size);
  return finish(s, i, i.dst, r, shiftFlags(s.flags, r, size, bit(a, n - 1), n === 1 ? signBit(a, size) ^ signBit(r, size) : 0));
};

export const SHIFT_RULES: Rules = {
  shl: shlRule,
  shr: shrRule,
  sar: sarRule,
  shld: shldRule,
  shrd: shrdRule,
};
