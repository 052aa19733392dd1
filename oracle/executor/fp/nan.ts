/** Which NaN an operation answers with. Intel SDM volume 1, table 4-7. */
import type { Environment } from './environment.ts';
import { DENORMAL } from './exception.ts';
import { type Fp, INDEFINITE, isSignaling, NAN, quiet, UNSUPPORTED } from './number.ts';

/** Raise the invalid operation; its masked answer. */
export const invalid = (env: Environment): Fp => {
  env.invalid();
  return INDEFINITE;
};

/** The x87 takes the larger significand, of equal ones the positive; but a quiet NaN rather than a signaling one. */
const larger = (a: Fp, b: Fp): Fp => {
  if (a.kind !== NAN) return b;
  if (b.kind !== NAN) return a;
  if (isSignaling(a) !== isSignaling(b)) return isSignaling(a) ? b : a;
  if (a.significand !== b.significand) return a.significand > b.significand ? a : b;
  return a.sign <= b.sign ? a : b;
};

/** The answer when an operand is a NaN or unsupported, null when none is. */
export const special2 = (env: Environment, a: Fp, b: Fp): Fp | null => {
  if (a.kind < NAN && b.kind < NAN) return null;
  if (a.kind === UNSUPPORTED || b.kind === UNSUPPORTED) return invalid(env);
  if (isSignaling(a) || isSignaling(b)) env.invalid();
  return quiet(env.x87 ? larger(a, b) : a.kind === NAN ? a : b);
};

/** The same for one operand. */
export const special1 = (env: Environment, x: Fp): Fp | null => {
  if (x.kind < NAN) return null;
  if (x.kind === UNSUPPORTED) return invalid(env);
  if (isSignaling(x)) env.invalid();
  return quiet(x);
};

/** Raise the denormal exception if an operand is one. */
export const noteDenormal = (env: Environment, a: Fp, b: Fp): void => {
  if (a.denormal || b.denormal) env.flags |= DENORMAL;
};
