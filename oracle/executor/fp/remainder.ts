/** FPREM and FPREM1: exact remainders, in parts when the exponents are far apart. Intel SDM volume 2. */
import type { Environment } from './environment.ts';
import { EXTENDED } from './format.ts';
import { invalid, noteDenormal, special2 } from './nan.ts';
import { type Fp, INFINITE, leading, ZERO, zero } from './number.ts';
import { round } from './round.ts';

/** `quotient`: its low three bits; `partial`: the reduction has to go on (C2). */
export type Remainder = { readonly value: Fp; readonly quotient: number; readonly partial: boolean };

const whole = (value: Fp): Remainder => ({ value, quotient: 0, partial: false });

/** Of `a` by `b`; `nearest`: the quotient is rounded to nearest (FPREM1), else towards zero (FPREM). */
export const remainder = (env: Environment, a: Fp, b: Fp, nearest: boolean): Remainder => {
  env.up = false;
  const special = special2(env, a, b);
  if (special !== null) return whole(special);
  if (a.kind === INFINITE || b.kind === ZERO) return whole(invalid(env));
  noteDenormal(env, a, b);
  if (a.kind === ZERO) return whole(a);
  if (b.kind === INFINITE) return whole(round(env, EXTENDED, a.sign, a.significand, a.exponent));
  return reduce(env, a, b, nearest);
};

const reduce = (env: Environment, a: Fp, b: Fp, nearest: boolean): Remainder => {
  const distance = leading(a) - leading(b);
  if (distance >= 64) return part(env, a, b, distance);
  if (distance < -1) return whole(round(env, EXTENDED, a.sign, a.significand, a.exponent));
  const low = Math.min(a.exponent, b.exponent);
  const dividend = a.significand << BigInt(a.exponent - low);
  const divisor = b.significand << BigInt(b.exponent - low);
  let quotient = dividend / divisor;
  let rest = dividend - quotient * divisor;
  const twice = 2n * rest;
  if (nearest && (twice > divisor || (twice === divisor && (quotient & 1n) === 1n))) {
    quotient += 1n;
    rest -= divisor;
  }
  const sign = rest < 0n ? a.sign ^ 1 : a.sign;
  const value = rest === 0n ? zero(a.sign) : round(env, EXTENDED, sign, rest < 0n ? -rest : rest, low);
  return { value, quotient: Number(quotient & 7n), partial: false };
};

/** One round of a long reduction. It takes away at most 63 bits: how many is the processor's choice. */
const part = (env: Environment, a: Fp, b: Fp, distance: number): Remainder => {
  const scale = distance - ((distance & 31) | 32);
  const divisor = b.significand << BigInt(scale);
  const shift = a.exponent - b.exponent;
  const dividend = a.significand << BigInt(shift);
  const rest = dividend % divisor;
  const value = rest === 0n ? zero(a.sign) : round(env, EXTENDED, a.sign, rest, b.exponent);
  return { value, quotient: 0, partial: true };
};
