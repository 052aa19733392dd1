/** FSCALE and FXTRACT. Intel SDM volume 2; AMD APM volume 5. */
import type { Environment } from './environment.ts';
import { DENORMAL, DIVIDE, TO_ZERO } from './exception.ts';
import { EXTENDED } from './format.ts';
import { exactInteger } from './integer.ts';
import { invalid, noteDenormal, special1, special2 } from './nan.ts';
import { FINITE, Fp, INFINITE, infinity, leading, ZERO, zero } from './number.ts';
import { round, toMagnitude } from './round.ts';

/** No result needs a larger step: it overflows or underflows as far as it can. */
const MOST = 1n << 16n;

/** `x` times two to the integer part of `by`. */
export const scale = (env: Environment, x: Fp, by: Fp): Fp => {
  env.up = false;
  const special = special2(env, x, by);
  if (special !== null) return special;
  if (by.kind === INFINITE) {
    if (by.sign === 0 ? x.kind === ZERO : x.kind === INFINITE) return invalid(env);
    noteDenormal(env, x, by);
    return by.sign === 0 ? infinity(x.sign) : zero(x.sign);
  }
  noteDenormal(env, x, by);
  if (x.kind !== FINITE) return x;
  const whole = by.kind === FINITE && leading(by) > 16 ? MOST : toMagnitude(TO_ZERO, by).value;
  const step = Number(whole < MOST ? whole : MOST);
  return round(env, EXTENDED, x.sign, x.significand, x.exponent + (by.sign === 1 ? -step : step));
};

/** Exponent and significand of a number. */
export const extract = (env: Environment, x: Fp): { readonly exponent: Fp; readonly significand: Fp } => {
  env.up = false;
  const special = special1(env, x);
  if (special !== null) return { exponent: special, significand: special };
  if (x.kind === INFINITE) return { exponent: infinity(0), significand: x };
  if (x.kind === ZERO) {
    env.flags |= DIVIDE;
    return { exponent: infinity(1), significand: x };
  }
  if (x.denormal) env.flags |= DENORMAL;
  return { exponent: exactInteger(BigInt(leading(x))), significand: new Fp(FINITE, x.sign, -63, x.significand, false) };
};
