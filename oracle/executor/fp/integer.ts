/** Between floating point and integers. */
import type { Environment } from './environment.ts';
import { INEXACT } from './exception.ts';
import type { Format } from './format.ts';
import { type Fp, finite, INFINITE, NAN, zero } from './number.ts';
import { round, toMagnitude } from './round.ts';

/** A signed integer as a number of `format`. */
export const fromInteger = (env: Environment, format: Format, value: bigint): Fp => {
  if (value === 0n) return zero(0);
  return value < 0n ? round(env, format, 1, -value, 0) : round(env, format, 0, value, 0);
};

/** A signed integer that every format's 64 bits hold, exactly. */
export const exactInteger = (value: bigint): Fp => (value === 0n ? zero(0) : value < 0n ? finite(1, -value, 0) : finite(0, value, 0));

/** What conversions to integers of `bits` bits give when there is no such integer. */
export const integerIndefinite = (bits: number): bigint => -(1n << BigInt(bits - 1));

/** The nearest signed integer of `bits` bits under `rounding`. */
export const toInteger = (env: Environment, x: Fp, bits: number, rounding: number): bigint => {
  env.up = false;
  const limit = 1n << BigInt(bits - 1);
  if (x.kind >= INFINITE || x.exponent > 1) return outOfRange(env, bits);
  const { value, inexact, up } = toMagnitude(rounding, x);
  if (value > limit || (value === limit && x.sign === 0)) return outOfRange(env, bits);
  env.up = up;
  if (inexact) env.flags |= INEXACT;
  return x.sign === 1 ? -value : value;
};

const outOfRange = (env: Environment, bits: number): bigint => {
  env.invalid();
  return integerIndefinite(bits);
};

/** The nearest integer as a number: FRNDINT, ROUNDSD. NaNs have been answered already. */
export const roundToInteger = (env: Environment, x: Fp, rounding: number): Fp => {
  env.up = false;
  if (x.kind >= INFINITE || x.kind === NAN || x.exponent >= 0) return x;
  const { value, inexact, up } = toMagnitude(rounding, x);
  env.up = up;
  if (inexact) env.flags |= INEXACT;
  return value === 0n ? zero(x.sign) : finite(x.sign, value, 0);
};
