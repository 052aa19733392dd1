/** Sum, difference, product, quotient and square root, correctly rounded. */
import type { Environment } from './environment.ts';
import { DENORMAL, DIVIDE, DOWN } from './exception.ts';
import type { Format } from './format.ts';
import { invalid, noteDenormal, special1, special2 } from './nan.ts';
import { FINITE, type Fp, INFINITE, infinity, negated, ZERO, zero } from './number.ts';
import { convert, round } from './round.ts';

/** An operation on two numbers whose result is rounded to `format`. */
export type Binary = (env: Environment, format: Format, a: Fp, b: Fp) => Fp;

/** From this distance on, the smaller summand is nothing but a sticky bit. */
const FAR = 66;

/** The sum of two finite numbers that are not zero. */
const sumFinite = (env: Environment, format: Format, a: Fp, b: Fp): Fp => {
  const [high, low] = a.exponent >= b.exponent ? [a, b] : [b, a];
  const distance = high.exponent - low.exponent;
  const far = distance > FAR;
  const shift = far ? FAR : distance;
  const first = high.significand << BigInt(shift);
  const second = far ? 1n : low.significand;
  const exponent = high.exponent - shift;
  if (a.sign === b.sign) return round(env, format, a.sign, first + second, exponent);
  const difference = first - second;
  if (difference === 0n) return zero(env.rounding === DOWN ? 1 : 0);
  return difference > 0n ? round(env, format, high.sign, difference, exponent) : round(env, format, low.sign, -difference, exponent);
};

const sum: Binary = (env, format, a, b) => {
  if (a.kind === INFINITE) return b.kind === INFINITE && a.sign !== b.sign ? invalid(env) : denormalFirst(env, a, b, a);
  if (b.kind === INFINITE) return denormalFirst(env, a, b, b);
  noteDenormal(env, a, b);
  if (a.kind === FINITE && b.kind === FINITE) return sumFinite(env, format, a, b);
  if (a.kind === FINITE) return convert(env, format, a);
  if (b.kind === FINITE) return convert(env, format, b);
  return zero(a.sign === b.sign ? a.sign : env.rounding === DOWN ? 1 : 0);
};

/** `result`, with the denormal exception for an operand that is one. */
const denormalFirst = (env: Environment, a: Fp, b: Fp, result: Fp): Fp => {
  noteDenormal(env, a, b);
  return result;
};

export const add: Binary = (env, format, a, b) => special2(env, a, b) ?? sum(env, format, a, b);
export const subtract: Binary = (env, format, a, b) => special2(env, a, b) ?? sum(env, format, a, negated(b));

export const multiply: Binary = (env, format, a, b) => {
  const special = special2(env, a, b);
  if (special !== null) return special;
  const sign = a.sign ^ b.sign;
  const infinite = a.kind === INFINITE || b.kind === INFINITE;
  const zeroed = a.kind === ZERO || b.kind === ZERO;
  if (infinite && zeroed) return invalid(env);
  noteDenormal(env, a, b);
  if (infinite) return infinity(sign);
  if (zeroed) return zero(sign);
  return round(env, format, sign, a.significand * b.significand, a.exponent + b.exponent);
};

/** Bits by which the dividend is lengthened: the quotient has two more than the widest format. */
const QUOTIENT = 67;

export const divide: Binary = (env, format, a, b) => {
  const special = special2(env, a, b);
  if (special !== null) return special;
  const sign = a.sign ^ b.sign;
  if (a.kind === b.kind && a.kind !== FINITE) return invalid(env);
  if (b.kind === ZERO && a.kind === FINITE) {
    env.flags |= DIVIDE;
    return infinity(sign);
  }
  noteDenormal(env, a, b);
  if (a.kind === INFINITE || b.kind === ZERO) return infinity(sign);
  if (b.kind === INFINITE || a.kind === ZERO) return zero(sign);
  const dividend = a.significand << BigInt(QUOTIENT);
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand === dividend ? 0n : 1n;
  return round(env, format, sign, (quotient << 1n) | sticky, a.exponent - b.exponent - QUOTIENT - 1);
};

/** The integer part of a square root. */
export const integerRoot = (value: bigint): bigint => {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(16).length * 4 + 2) >> 1);
  for (;;) {
    const better = (root + value / root) >> 1n;
    if (better >= root) return root;
    root = better;
  }
};

export const squareRoot = (env: Environment, format: Format, x: Fp): Fp => {
  const special = special1(env, x);
  if (special !== null) return special;
  if (x.kind === ZERO) return x;
  if (x.sign === 1) return invalid(env);
  if (x.kind === INFINITE) return x;
  if (x.denormal) env.flags |= DENORMAL;
  const odd = x.exponent & 1;
  const square = x.significand << BigInt(72 + odd);
  const root = integerRoot(square);
  const sticky = root * root === square ? 0n : 1n;
  return round(env, format, 0, (root << 1n) | sticky, (x.exponent - 72 - odd) / 2 - 1);
};
