/** Order of two numbers, minimum and maximum. */
import type { Environment } from './environment.ts';
import { noteDenormal } from './nan.ts';
import { FINITE, type Fp, INFINITE, isSignaling, leading, NAN, ZERO } from './number.ts';

export const LESS = -1;
export const EQUAL = 0;
export const GREATER = 1;
export const UNORDERED = 2;

/** Order of magnitudes of numbers that are no NaNs. */
const magnitudes = (a: Fp, b: Fp): number => {
  if (a.kind !== FINITE || b.kind !== FINITE) {
    const rank = (x: Fp): number => (x.kind === ZERO ? 0 : x.kind === INFINITE ? 2 : 1);
    return Math.sign(rank(a) - rank(b));
  }
  if (leading(a) !== leading(b)) return leading(a) < leading(b) ? LESS : GREATER;
  return a.significand === b.significand ? EQUAL : a.significand < b.significand ? LESS : GREATER;
};

/** Order without exceptions. */
export const order = (a: Fp, b: Fp): number => {
  if (a.kind >= NAN || b.kind >= NAN) return UNORDERED;
  if (a.kind === ZERO && b.kind === ZERO) return EQUAL;
  if (a.sign !== b.sign) {
    return a.sign === 1 ? LESS : GREATER;
  }
  const by = magnitudes(a, b);
  return a.sign === 1 ? 0 - by : by;
};

/** Order with the exceptions of a comparison; `signals`: a quiet NaN is invalid, too. */
export const compare = (env: Environment, a: Fp, b: Fp, signals: boolean): number => {
  if (a.kind >= NAN || b.kind >= NAN) {
    if (signals || a.kind > NAN || b.kind > NAN || isSignaling(a) || isSignaling(b)) env.invalid();
    return UNORDERED;
  }
  noteDenormal(env, a, b);
  return order(a, b);
};

/** MIN and MAX of SSE: the second operand unless the first is truly smaller (larger). `wanted`: LESS for MIN. */
export const choose = (env: Environment, a: Fp, b: Fp, wanted: number): 'first' | 'second' =>
  compare(env, a, b, true) === wanted ? 'first' : 'second';
