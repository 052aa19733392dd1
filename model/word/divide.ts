/** Quotient and remainder of 128-bit numbers by 64-bit words. */

import type { Wide } from './multiply.ts';
import { below, bit, equal, fromNumber, isZero, neg, ONE, or, shl, sub, toNumber, Word, ZERO } from './word.ts';

export type Division = { readonly quotient: Word; readonly remainder: Word };

/** Unsigned division; null when the divisor is zero or the quotient needs more than 64 bits. */
export const divideUnsigned = ({ high, low }: Wide, divisor: Word): Division | null => {
  if (!below(high, divisor)) return null;
  if (isZero(high) && low.hi >>> 0 < 0x200000 && divisor.hi >>> 0 < 0x200000) return divideSmall(toNumber(low), toNumber(divisor));
  return divideLong(high, low, divisor);
};

/** Both below 2⁵³, where JavaScript's remainder is exact. */
const divideSmall = (n: number, d: number): Division => {
  const remainder = n % d;
  return { quotient: fromNumber((n - remainder) / d), remainder: fromNumber(remainder) };
};

/** Schoolbook division, one bit a turn. The remainder stays below the divisor, so at most one bit is shifted out of it. */
const divideLong = (high: Word, low: Word, divisor: Word): Division => {
  let remainder = high;
  let quotient = ZERO;
  for (let n = 63; n >= 0; n--) {
    const out = remainder.hi < 0;
    remainder = or(shl(remainder, 1), bit(low, n) ? ONE : ZERO);
    quotient = shl(quotient, 1);
    if (out || !below(remainder, divisor)) {
      remainder = sub(remainder, divisor);
      quotient = or(quotient, ONE);
    }
  }
  return { quotient, remainder };
};

const SMALLEST = new Word(0x80000000 | 0, 0);

/** Signed division towards zero; the remainder has the dividend's sign. Null when the divisor is zero or the quotient does not fit. */
export const divideSigned = (dividend: Wide, divisor: Word): Division | null => {
  const negative = dividend.high.hi < 0;
  const size = divideUnsigned(negative ? negWide(dividend) : dividend, divisor.hi < 0 ? neg(divisor) : divisor);
  if (!size) return null;
  const remainder = negative ? neg(size.remainder) : size.remainder;
  if (negative === divisor.hi < 0) return size.quotient.hi < 0 ? null : { quotient: size.quotient, remainder };
  if (size.quotient.hi < 0 && !equal(size.quotient, SMALLEST)) return null;
  return { quotient: neg(size.quotient), remainder };
};

const negWide = ({ high, low }: Wide): Wide => ({ low: neg(low), high: isZero(low) ? neg(high) : sub(neg(high), ONE) });
