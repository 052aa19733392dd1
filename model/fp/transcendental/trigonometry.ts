/** Sine, cosine and tangent of angles below 2^63, reduced by a π of 66 digits and exact from there on. */
import { type Finite, finite, type Numeric, type Sign, topExponent, zero } from '../value.ts';
import { type Approximation, justAbove, justBelow, NEGLIGIBLE, ratio, settle } from './settle.ts';

/** Angles from here on are refused: C2. */
export const FIRST_REFUSED_EXPONENT = 63;
export const isRefusedAngle = (x: Numeric): boolean => x.kind === 'finite' && topExponent(x) >= FIRST_REFUSED_EXPONENT;

/** |x| = quadrant · π/2 + rest, |rest| ≤ π/4, the rest as a fixed-point number. */
type Reduced = { readonly quadrant: number; readonly rest: bigint; readonly digits: number };

/** fp/trigonometric-pi_66: the 66 digits of π that angles are reduced by, times 2^64. */
const PI_66 = 0x3_243f_6a88_85a3_08d3n;
const PI_66_DIGITS = 64;
/** Fixed-point digits beyond those wanted: a rest can be as small as 2^−66. */
const CLOSENESS = 80;

const reduce = ({ significand, exponent }: Finite, wanted: number): Reduced => {
  const digits = wanted + CLOSENESS;
  const fine = Math.max(digits, -exponent);
  const angle = significand << BigInt(exponent + fine);
  const quarter = PI_66 << BigInt(fine - PI_66_DIGITS - 1);
  const turns = (2n * angle + quarter) / (2n * quarter);
  return { quadrant: Number(turns & 3n), rest: (angle - turns * quarter) >> BigInt(fine - digits), digits };
};

/** Σ (−1)^i r^(2i+first) / (2i+first)!: the cosine of r from 0, the sine from 1. */
const series = (r: bigint, digits: number, first: 0 | 1): bigint => {
  const scale = BigInt(digits);
  const square = (r * r) >> scale;
  let term = first === 0 ? 1n << scale : r;
  let sum = term;
  for (let n = BigInt(first); term !== 0n && term !== -1n; n += 2n) {
    term = -((term * square) >> scale) / ((n + 1n) * (n + 2n));
    sum += term;
  }
  return sum;
};

const absolute = (n: bigint): bigint => (n < 0n ? -n : n);
const signOf = (n: bigint): Sign => (n < 0n ? 1 : 0);

/** The sine (`ahead` 0) or cosine (1) of |x| at a number of digits, with its sign. */
const sineAt = (x: Finite, digits: number, ahead: 0 | 1): { readonly sign: Sign; readonly at: Approximation } => {
  const reduced = reduce(x, digits);
  const quadrant = (reduced.quadrant + ahead) & 3;
  const value = series(reduced.rest, reduced.digits, (quadrant & 1) === 0 ? 1 : 0);
  const signed = quadrant >= 2 ? -value : value;
  return { sign: signOf(signed), at: { significand: absolute(signed), exponent: -reduced.digits } };
};

const settled = (x: Finite, ahead: 0 | 1, sign: Sign): Finite => {
  const found = settle(0, (digits) => sineAt(x, digits, ahead).at);
  return { ...found, sign: (sineAt(x, 128, ahead).sign ^ sign) as Sign };
};

/** sin x; ±0 is its own sine. */
export const sine = (x: Finite | { readonly kind: 'zero'; readonly sign: Sign }): Numeric => {
  if (x.kind === 'zero') return zero(x.sign);
  return topExponent(x) < NEGLIGIBLE ? justBelow(x.sign, x.significand, x.exponent) : settled(x, 0, x.sign);
};

/** cos x; exactly 1 for ±0 alone. */
export const cosine = (x: Finite | { readonly kind: 'zero' }): Numeric => {
  if (x.kind === 'zero') return finite(0, 1n, 0);
  return topExponent(x) < NEGLIGIBLE ? justBelow(0, 1n, 0) : settled(x, 1, 0);
};

/** tan x; ±0 is its own tangent. */
export const tangent = (x: Finite | { readonly kind: 'zero'; readonly sign: Sign }): Numeric => {
  if (x.kind === 'zero') return zero(x.sign);
  if (topExponent(x) < NEGLIGIBLE) return justAbove(x.sign, x.significand, x.exponent);
  const sign = (sineAt(x, 128, 0).sign ^ sineAt(x, 128, 1).sign ^ x.sign) as Sign;
  return settle(sign, (digits) => ratio(sineAt(x, digits, 0).at.significand, sineAt(x, digits, 1).at.significand, digits));
};
