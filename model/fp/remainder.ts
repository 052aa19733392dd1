/** The partial remainders of FPREM and FPREM1. */
import { type Computed, exactly, INVALID } from './result.ts';
import { type Finite, finite, type Numeric, opposite, topExponent, zero } from './value.ts';

export type Remainder = Computed & {
  /** The remainder is not there yet: C2. */
  readonly partial: boolean;
  /** Bits 2, 1, 0 of the quotient's magnitude, once the remainder is there. */
  readonly quotient: number;
};

const whole = (computed: Computed, quotient = 0): Remainder => ({ ...computed, partial: false, quotient });

/**
 * a − q · b with q = a/b, cut off towards zero, or to the nearest (even) integer. When a is too large for b to divide it at once,
 * a takes a step towards the remainder.
 */
export const remainder = (a: Numeric, b: Numeric, nearest: boolean): Remainder => {
  if (a.kind === 'infinity' || b.kind === 'zero') return whole(INVALID);
  if (a.kind === 'zero' || b.kind === 'infinity') return whole(exactly(a));
  const distance = topExponent(a) - topExponent(b);
  if (distance < 64) return whole(...lastStep(a, b, nearest));
  return { ...exactly(partialStep(a, b, distance)), partial: true, quotient: 0 };
};

/** Exponent and significands on one scale. */
const aligned = (a: Finite, b: Finite): readonly [bigint, bigint, number] => {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.significand << BigInt(a.exponent - exponent), b.significand << BigInt(b.exponent - exponent), exponent];
};

const lastStep = (a: Finite, b: Finite, nearest: boolean): [Computed, number] => {
  const [dividend, divisor, exponent] = aligned(a, b);
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  const over = 2n * rest - divisor;
  const beyond = nearest && (over > 0n || (over === 0n && (quotient & 1n) === 1n));
  const left = beyond ? divisor - rest : rest;
  const sign = beyond ? opposite(a.sign) : a.sign;
  const value = left === 0n ? zero(a.sign) : finite(sign, left, exponent);
  return [exactly(value), Number((beyond ? quotient + 1n : quotient) & 7n)];
};

/** Takes away a multiple of b · 2^(distance − n), n being at least 32 and at most 63. */
const partialStep = (a: Finite, b: Finite, distance: number): Numeric => {
  const step = (distance & 31) | 32;
  const [dividend, divisor, exponent] = aligned(a, { ...b, exponent: b.exponent + distance - step });
  const rest = dividend % divisor;
  return rest === 0n ? zero(a.sign) : finite(a.sign, rest, exponent);
};
