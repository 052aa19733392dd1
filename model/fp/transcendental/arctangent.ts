/** The angle of the point (x, y): FPATAN. */
import { integerRoot } from '../multiply.ts';
import { type Finite, finite, type Numeric, type Sign, topExponent, zero } from '../value.ts';
import { pi } from './constants.ts';
import { justBelow, NEGLIGIBLE, ratio, settle } from './settle.ts';

/** More digits than settling asks for: what small angles use up, and what halving loses. */
const EXTRA = 88;
const HALVINGS = 3;

/** atan of a fixed-point number from 0 to 1: the angle is halved three times, then the series converges quickly. */
const fixedArctangent = (t: bigint, digits: number): bigint => {
  const one = 1n << BigInt(digits);
  let half = t;
  for (let i = 0; i < HALVINGS && half !== 0n; i++)
    half = (half << BigInt(digits)) / (one + integerRoot((one << BigInt(digits)) + half * half));
  const square = (half * half) >> BigInt(digits);
  let power = half;
  let sum = half;
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = -((power * square) >> BigInt(digits));
    sum += power / n;
  }
  return sum << BigInt(HALVINGS);
};

/** Positive integers in the proportion of two magnitudes. */
const proportion = (y: Finite, x: Finite): readonly [bigint, bigint] => {
  const exponent = Math.min(y.exponent, x.exponent);
  return [y.significand << BigInt(y.exponent - exponent), x.significand << BigInt(x.exponent - exponent)];
};

/** Multiples of π/4, which signs and infinities alone give. */
const quarters = (sign: Sign, count: number): Finite =>
  settle(sign, (digits) => ({ significand: pi(digits) * BigInt(count), exponent: -digits - 2 }));

/** The angle from the positive x axis to (x, y), of y's sign, from −π to π. All operands have one. */
export const arctangent = (y: Numeric, x: Numeric): Numeric => {
  const { sign } = y;
  const behind = x.sign === 1;
  if (y.kind === 'infinity') return quarters(sign, x.kind === 'infinity' ? (behind ? 3 : 1) : 2);
  if (x.kind === 'infinity' || y.kind === 'zero') return behind ? quarters(sign, 4) : zero(sign);
  if (x.kind === 'zero') return quarters(sign, 2);
  if (!behind && topExponent(y) - topExponent(x) < NEGLIGIBLE) return smallAngle(sign, y, x);
  const [rise, run] = proportion(y, x);
  return settle(sign, (wanted) => {
    const digits = wanted + EXTRA;
    const steep = rise > run;
    const t = ((steep ? run : rise) << BigInt(digits)) / (steep ? rise : run);
    const acute = fixedArctangent(t, digits);
    const turn = pi(digits);
    const fromX = steep ? (turn >> 1n) - acute : acute;
    return { significand: behind ? turn - fromX : fromX, exponent: -digits };
  });
};

/** y/x, less what rounding cannot tell. */
const smallAngle = (sign: Sign, y: Finite, x: Finite): Finite => {
  const { significand, exponent } = ratio(y.significand, x.significand, 80);
  const shift = y.exponent - x.exponent;
  const exact = significand * x.significand === y.significand << BigInt(-exponent);
  return exact ? justBelow(sign, significand, exponent + shift) : finite(sign, significand, exponent + shift, true);
};
