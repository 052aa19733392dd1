/**
 * Lazy flags. An operation leaves its kind, first operand and result; flags are worked out when somebody looks.
 *
 * Values narrower than 64 bits are kept at the top of the 64, zeros below, so that carry, overflow, zero and sign read the same for
 * every size; only parity and auxiliary carry need to know where the low byte is.
 */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { BITS, FIRST, KIND, RESULT, SYSTEM } from './layout.ts';
import type { RegisterFile } from './register_file.ts';

const { CF, PF, AF, ZF, SF, OF } = RFLAGS;
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

/** Low three bits of KIND. EXPLICIT: all in BITS. PARTIAL: C A O in BITS, the rest by the result. INC and DEC: C in BITS. */
export const EXPLICIT = 0;
export const PARTIAL = 1;
export const ADD = 2;
export const SUB = 3;
export const INC = 4;
export const DEC = 5;
/** KIND's upper bits: operand size. */
export const SIZE8 = 0;
export const SIZE16 = 8;
export const SIZE32 = 16;
export const SIZE64 = 24;

/** KIND's size bits for an operand of 1, 2, 4 or 8 bytes. */
export const sizeKind = (bytes: number): number => (bytes === 1 ? SIZE8 : bytes === 2 ? SIZE16 : bytes === 4 ? SIZE32 : SIZE64);

export const carry = (c: RegisterFile): boolean => {
  const s = c.s;
  const kind = s[KIND] & 7;
  if (kind === SUB) {
    const ah = s[FIRST + 1];
    const rh = s[RESULT + 1];
    return ah === rh ? s[FIRST] >>> 0 < s[RESULT] >>> 0 : ah >>> 0 < rh >>> 0;
  }
  if (kind === ADD) {
    const ah = s[FIRST + 1];
    const rh = s[RESULT + 1];
    return ah === rh ? s[RESULT] >>> 0 < s[FIRST] >>> 0 : rh >>> 0 < ah >>> 0;
  }
  return (s[BITS] & CF) !== 0;
};

export const zero = (c: RegisterFile): boolean => {
  const s = c.s;
  return (s[KIND] & 7) === EXPLICIT ? (s[BITS] & ZF) !== 0 : (s[RESULT] | s[RESULT + 1]) === 0;
};

export const sign = (c: RegisterFile): boolean => {
  const s = c.s;
  return (s[KIND] & 7) === EXPLICIT ? (s[BITS] & SF) !== 0 : s[RESULT + 1] < 0;
};

/** Upper half of the second operand: result minus first for sums, first minus result for differences. */
const secondHigh = (s: Int32Array, sum: boolean): number => {
  const from = sum ? RESULT : FIRST;
  const what = sum ? FIRST : RESULT;
  return (s[from + 1] - s[what + 1] - (s[from] >>> 0 < s[what] >>> 0 ? 1 : 0)) | 0;
};

export const overflow = (c: RegisterFile): boolean => {
  const s = c.s;
  const kind = s[KIND] & 7;
  if (kind <= PARTIAL) return (s[BITS] & OF) !== 0;
  const ah = s[FIRST + 1];
  const rh = s[RESULT + 1];
  if (kind === SUB || kind === DEC) return ((ah ^ secondHigh(s, false)) & (ah ^ rh)) < 0;
  return ((rh ^ ah) & (rh ^ secondHigh(s, true))) < 0;
};

/** Where the low bits of a result are. */
const lowBits = (s: Int32Array, at: number): number => {
  const size = s[KIND] & 24;
  if (size === SIZE64) return s[at];
  return s[at + 1] >> (size === SIZE32 ? 0 : size === SIZE16 ? 16 : 24);
};

export const parity = (c: RegisterFile): boolean => {
  const s = c.s;
  if ((s[KIND] & 7) === EXPLICIT) return (s[BITS] & PF) !== 0;
  const low = lowBits(s, RESULT);
  return ((0x9669 >> ((low ^ (low >> 4)) & 15)) & 1) === 1;
};

const auxiliary = (c: RegisterFile): boolean => {
  const s = c.s;
  const kind = s[KIND] & 7;
  if (kind <= PARTIAL) return (s[BITS] & AF) !== 0;
  const a = lowBits(s, FIRST);
  const r = lowBits(s, RESULT);
  const b = kind === ADD || kind === INC ? r - a : a - r;
  return ((a ^ b ^ r) & AF) !== 0;
};

/** The six arithmetic flags as RFLAGS has them. */
export const arithmeticFlags = (c: RegisterFile): number => ((c.s[KIND] & 7) === EXPLICIT ? c.s[BITS] : arithmeticFlagsOf(c));

const arithmeticFlagsOf = (c: RegisterFile): number =>
  (carry(c) ? CF : 0) | (parity(c) ? PF : 0) | (auxiliary(c) ? AF : 0) | (zero(c) ? ZF : 0) | (sign(c) ? SF : 0) | (overflow(c) ? OF : 0);

/** Set all six arithmetic flags. */
export const setArithmeticFlags = (c: RegisterFile, bits: number): void => {
  c.s[KIND] = EXPLICIT;
  c.s[BITS] = bits & ARITHMETIC;
};

export const getFlags = (c: RegisterFile): number => arithmeticFlags(c) | c.s[SYSTEM] | RFLAGS.fixed1;

export const setFlags = (c: RegisterFile, flags: number): void => {
  setArithmeticFlags(c, flags);
  c.s[SYSTEM] = flags & ~(ARITHMETIC | RFLAGS.fixed1);
};

/** Flags of a result whose C, A, O are `bits`; `size` one of SIZE8 … SIZE64, the value at the top of `hi:lo`. */
export const setPartial = (c: RegisterFile, size: number, bits: number, lo: number, hi: number): void => {
  const s = c.s;
  s[KIND] = PARTIAL | size;
  s[BITS] = bits;
  s[RESULT] = lo;
  s[RESULT + 1] = hi;
};

/** Change C and O, leaving the other four as they are. */
export const setCarryOverflow = (c: RegisterFile, bits: number): void => {
  const s = c.s;
  const kind = s[KIND];
  if ((kind & 7) > PARTIAL) {
    s[BITS] = bits | (auxiliary(c) ? AF : 0);
    s[KIND] = PARTIAL | (kind & 24);
  } else s[BITS] = (s[BITS] & ~(CF | OF)) | bits;
};

/** Change C alone. */
export const setCarry = (c: RegisterFile, value: boolean): void => setCarryOverflow(c, (value ? CF : 0) | (overflow(c) ? OF : 0));
