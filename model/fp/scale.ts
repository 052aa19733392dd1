/** Taking a number apart into exponent and significand (FXTRACT) and putting it together (FSCALE). */
import { TRUNCATE } from './exception.ts';
import { toInteger } from './integer.ts';
import { type Computed, exactly, INVALID } from './result.ts';
import { bitLength, finite, fromInteger, infinity, type Numeric, topExponent, zero } from './value.ts';

/** Exponents beyond this overflow or underflow whatever they are added to, adjusted or not. */
const FAR = 0x10000;

/** a · 2^⌊b⌋, b being cut off towards zero. 0 · 2^∞ and ∞ · 2^−∞ have no value. */
export const scale = (a: Numeric, b: Numeric): Computed => {
  if (b.kind === 'infinity') return scaleToTheEnd(a, b.sign === 0);
  if (a.kind !== 'finite') return exactly(a);
  const { integer } = toInteger(b, 32, TRUNCATE);
  const by = integer === null ? (b.sign === 0 ? FAR : -FAR) : Math.max(-FAR, Math.min(FAR, Number(integer)));
  return exactly(finite(a.sign, a.significand, a.exponent + by));
};

const scaleToTheEnd = (a: Numeric, upwards: boolean): Computed => {
  if (upwards) return a.kind === 'zero' ? INVALID : exactly(infinity(a.sign));
  return a.kind === 'infinity' ? INVALID : exactly(zero(a.sign));
};

/** The exponent of a number other than zero as a number, and its significand of magnitude 1 to 2. */
export const extract = (a: Exclude<Numeric, { readonly kind: 'zero' }>): { readonly exponent: Numeric; readonly significand: Numeric } =>
  a.kind === 'infinity'
    ? { exponent: infinity(0), significand: a }
    : {
        exponent: fromInteger(BigInt(topExponent(a))),
        significand: finite(a.sign, a.significand, 1 - bitLength(a.significand)),
      };
