/** y · log₂ x and y · log₂(1 + x). */
import { type Computed, exactly, INVALID, poleOf } from '../result.ts';
import { bitLength, type Finite, finite, infinity, type Numeric, type Sign, topExponent, zero } from '../value.ts';
import { ln2 } from './constants.ts';
import { type Approximation, settle } from './settle.ts';

/** 2^power · (1 + above/unit), |above/unit| < 0.42. */
type Split = { readonly power: number; readonly above: bigint; readonly unit: bigint };

/** A positive number split at the power of two that is closest to it in proportion. */
const split = (significand: bigint, exponent: number): Split => {
  const length = bitLength(significand);
  const lower = 1n << BigInt(length - 1);
  const power = exponent + length - 1;
  return significand * significand > 2n * lower * lower
    ? { power: power + 1, above: significand - 2n * lower, unit: 2n * lower }
    : { power, above: significand - lower, unit: lower };
};

/** Σ t^(2i)/(2i+1) = atanh(t)/t, fixed-point, for |t| < 0.18. */
const atanhOverT = (t: bigint, digits: number): bigint => {
  const square = (t * t) >> BigInt(digits);
  let power = 1n << BigInt(digits);
  let sum = power;
  for (let n = 3n; power !== 0n; n += 2n) {
    power = (power * square) >> BigInt(digits);
    sum += power / n;
  }
  return sum;
};

const absolute = (n: bigint): bigint => (n < 0n ? -n : n);

/** |log₂| of what is no power of two. ln(1 + v) = 2 atanh(v / (2 + v)). */
const log2At = ({ power, above, unit }: Split, digits: number): Approximation => {
  const below = 2n * unit + above;
  const series = atanhOverT((above << BigInt(digits)) / below, digits);
  const top = (2n * above * series) << BigInt(digits);
  if (power !== 0) {
    const whole = BigInt(power) << BigInt(digits);
    return { significand: absolute(whole + top / (below * ln2(digits))), exponent: -digits };
  }
  const shift = BigInt(Math.max(0, bitLength(below) - bitLength(absolute(above))));
  return { significand: (absolute(top) << shift) / (below * ln2(digits)), exponent: -digits - Number(shift) };
};

/** y times the logarithm of 2^power · (1 + above/unit). */
const times = (y: Finite, argument: Split): Numeric => {
  const { power, above } = argument;
  if (above === 0n && power === 0) return zero(y.sign);
  const sign = (y.sign ^ (power < 0 || (power === 0 && above < 0n) ? 1 : 0)) as Sign;
  if (above === 0n) return finite(sign, y.significand * BigInt(Math.abs(power)), y.exponent);
  return settle(sign, (digits) => {
    const { significand, exponent } = log2At(argument, digits + 16);
    const length = BigInt(bitLength(y.significand));
    return { significand: (significand * y.significand) >> length, exponent: exponent + y.exponent + Number(length) };
  });
};

/** Infinity or zero times a logarithm of sign `sign`. */
const withSign = (y: Numeric, sign: Sign): Numeric => ({ ...y, sign: (y.sign ^ sign) as Sign });

/** y · log₂ x. Negative numbers have no logarithm; that of zero is −∞, a pole while y is finite. */
export const yLog2x = (y: Numeric, x: Numeric): Computed => {
  if (x.kind === 'zero') {
    if (y.kind === 'zero') return INVALID;
    const sign = (y.sign ^ 1) as Sign;
    return y.kind === 'infinity' ? exactly(infinity(sign)) : poleOf(sign);
  }
  if (x.sign === 1) return INVALID;
  if (x.kind === 'infinity') return y.kind === 'zero' ? INVALID : exactly(infinity(y.sign));
  const argument = split(x.significand, x.exponent);
  const isOne = argument.power === 0 && argument.above === 0n;
  if (y.kind === 'infinity' && isOne) return INVALID;
  if (y.kind !== 'finite') return exactly(withSign(y, !isOne && topExponent(x) < 0 ? 1 : 0));
  return exactly(times(y, argument));
};

/** 1 + x, split so that small x lose nothing. */
const splitOnePlus = ({ sign, significand, exponent }: Finite): Split => {
  const near = exponent < 0 && significand * 100n < (sign === 1 ? 28n : 41n) << BigInt(-exponent);
  const signed = sign === 1 ? -significand : significand;
  if (near) return { power: 0, above: signed, unit: 1n << BigInt(-exponent) };
  const scale = Math.min(exponent, 0);
  return split((1n << BigInt(-scale)) + (signed << BigInt(exponent - scale)), scale);
};

/** Whether x is −1 or less, where 1 + x has no logarithm: the x87 then gives x itself. */
export const isBelowDomain = (x: Numeric): x is Finite => x.kind === 'finite' && x.sign === 1 && topExponent(x) >= 0;

/** y · log₂(1 + x), for x above −1 or infinite. */
export const yLog2xPlus1 = (y: Numeric, x: Numeric): Computed => {
  if (x.kind === 'infinity') return x.sign === 1 || y.kind === 'zero' ? INVALID : exactly(infinity(y.sign));
  if (x.kind === 'zero') return y.kind === 'infinity' ? INVALID : exactly(zero((x.sign ^ y.sign) as Sign));
  if (y.kind !== 'finite') return exactly(withSign(y, x.sign));
  return exactly(times(y, splitOnePlus(x)));
};
