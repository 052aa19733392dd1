/** F2XM1, FYL2X and FYL2XP1, correctly rounded. What the manuals leave open about special operands is as on AMD's processors. */
import type { Environment } from './environment.ts';
import { DENORMAL, DIVIDE, INEXACT } from './exception.ts';
import { EXTENDED } from './format.ts';
import { invalid, noteDenormal, special1, special2 } from './nan.ts';
import { bitLength, FINITE, type Fp, finite, INFINITE, INTEGER_BIT, infinity, leading, ZERO, zero } from './number.ts';
import { round } from './round.ts';
import { exponentialRatio, hyperbolicRatio, ln2 } from './series.ts';
import { type Approximation, settle } from './settle.ts';

const fixed = (magnitude: bigint, exponent: number, bits: number): bigint => {
  const shift = exponent + bits;
  return shift >= 0 ? magnitude << BigInt(shift) : magnitude >> BigInt(-shift);
};

/** Two to `x`, less one, for x from -1 to 1. */
export const exponentialLessOne = (env: Environment, x: Fp): Fp => {
  env.up = false;
  const special = special1(env, x);
  if (special !== null) return special;
  if (x.kind === INFINITE) return x.sign === 0 ? x : finite(1, 1n, 0);
  if (x.kind === ZERO) return x;
  if (leading(x) >= 0) {
    if (leading(x) === 0 && x.significand === INTEGER_BIT) return x.sign === 0 ? x : finite(1, 1n, -1);
    env.flags |= INEXACT;
    return x;
  }
  if (x.denormal) env.flags |= DENORMAL;
  return settle(env, x.sign, (wanted) => {
    const bits = wanted + 32;
    const t = (fixed(x.significand, x.exponent, bits) * ln2(bits)) >> BigInt(bits);
    const ratio = exponentialRatio(x.sign === 1 ? -t : t, bits);
    return { magnitude: x.significand * ((ln2(bits) * ratio) >> BigInt(bits)), exponent: x.exponent - bits };
  });
};

/** Logarithm of 1 + s where s = (-1)^sign * magnitude * 2^exponent lies near zero, by atanh(s / (2 + s)); a magnitude to base two. */
const nearOne = (sign: number, magnitude: bigint, exponent: number, bits: number): Approximation => {
  const s = sign === 1 ? -fixed(magnitude, exponent, bits) : fixed(magnitude, exponent, bits);
  const two = 2n << BigInt(bits);
  const inverse = (two << BigInt(bits)) / (two + s);
  const z = (s * inverse) >> BigInt(bits + 1);
  const ratio = hyperbolicRatio((z * z) >> BigInt(bits), bits);
  const factor = (inverse * ratio) / ln2(bits);
  return { magnitude: magnitude * factor, exponent: exponent - bits };
};

/** y * log2(value * 2^exponent), y not zero, the value positive. */
const timesLogarithm = (env: Environment, y: Fp, value: bigint, exponent: number): Fp => {
  const length = bitLength(value);
  // The nearest power of two, so that the rest lies between 3/4 and 3/2.
  const high = ((value >> BigInt(length - 2)) & 1n) === 1n ? 1 : 0;
  const power = exponent + length - 1 + high;
  const unit = 1n << BigInt(length - 1 + high);
  const rest = value - unit;
  if (rest === 0n) {
    if (power === 0) return zero(y.sign);
    return round(env, EXTENDED, y.sign ^ Number(power < 0), y.significand * BigInt(Math.abs(power)), y.exponent);
  }
  const size = rest < 0n ? -rest : rest;
  const negative = power < 0 || (power === 0 && rest < 0n);
  return settle(env, y.sign ^ Number(negative), (wanted) => {
    const bits = wanted + 64;
    const part = nearOne(rest < 0n ? 1 : 0, size, 1 - length - high, bits);
    if (power === 0) return { magnitude: part.magnitude * y.significand, exponent: part.exponent + y.exponent };
    const fraction = fixed(part.magnitude, part.exponent, bits);
    const log = (BigInt(power) << BigInt(bits)) + (rest < 0n ? -fraction : fraction);
    return { magnitude: (log < 0n ? -log : log) * y.significand, exponent: y.exponent - bits };
  });
};

/** y * log2(x): x is the top of the stack, y the register below. */
export const logarithm = (env: Environment, x: Fp, y: Fp): Fp => {
  env.up = false;
  const special = special2(env, x, y);
  if (special !== null) return special;
  if (x.sign === 1 && x.kind !== ZERO) return invalid(env);
  if (x.kind === ZERO) return ofZero(env, y);
  const below = x.kind === FINITE && leading(x) < 0;
  const one = x.kind === FINITE && leading(x) === 0 && x.significand === INTEGER_BIT;
  if (y.kind === INFINITE && one) return invalid(env);
  if (x.kind === INFINITE && y.kind === ZERO) return invalid(env);
  noteDenormal(env, x, y);
  const sign = y.sign ^ Number(below);
  if (x.kind === INFINITE || y.kind === INFINITE) return infinity(sign);
  if (y.kind === ZERO) return zero(sign);
  return timesLogarithm(env, y, x.significand, x.exponent);
};

const ofZero = (env: Environment, y: Fp): Fp => {
  if (y.kind === ZERO) return invalid(env);
  if (y.kind === FINITE) env.flags |= DIVIDE;
  return infinity(y.sign ^ 1);
};

/** From this exponent on, 1 + x is taken as an integer of moderate length. */
const SMALL = -32;

/** y * log2(1 + x). */
export const logarithmOfOneMore = (env: Environment, x: Fp, y: Fp): Fp => {
  env.up = false;
  const special = special2(env, x, y);
  if (special !== null) return special;
  const sign = x.sign ^ y.sign;
  if (x.kind === INFINITE && (x.sign === 1 || y.kind === ZERO)) return invalid(env);
  if (x.kind === ZERO && y.kind === INFINITE) return invalid(env);
  noteDenormal(env, x, y);
  if (x.kind === INFINITE || y.kind === INFINITE) return infinity(sign);
  if (x.kind === ZERO || y.kind === ZERO) return zero(sign);
  if (x.sign === 1 && leading(x) >= 0) {
    env.flags |= INEXACT;
    return x;
  }
  if (leading(x) < SMALL)
    return settle(env, sign, (wanted) => {
      const part = nearOne(x.sign, x.significand, x.exponent, wanted + 32);
      return { magnitude: part.magnitude * y.significand, exponent: part.exponent + y.exponent };
    });
  const low = Math.min(x.exponent, 0);
  const value = x.significand << BigInt(x.exponent - low);
  const unit = 1n << BigInt(-low);
  return timesLogarithm(env, y, x.sign === 1 ? unit - value : unit + value, low);
};
