/** Which NaN comes out when NaNs go in. */
import type { ClauseId } from '#spec/clauses.ts';
import { IE } from './exception.ts';
import { INDEFINITE, type Nan, type Numeric, quieted, type Value } from './value.ts';

/** The answer of an operation that never gets to see numbers, and the clause that gives it. */
export type Refused = { readonly value: Nan; readonly flags: number; readonly clause: ClauseId };

/** For operands that are all numbers: null. SSE: the first operand that is a NaN, made quiet. */
export const refusedBySse = (a: Value, b: Value): Refused | null => {
  const nan = a.kind === 'nan' ? a : b.kind === 'nan' ? b : null;
  if (nan === null) return null;
  return { value: quieted(nan), flags: signals(a) || signals(b) ? IE : 0, clause: 'fp/nan-sse_first' };
};

/** x87: what is not supported comes before NaNs, and of two NaNs one is chosen. */
export const refusedByX87 = (a: Value, b: Value): Refused | null => {
  if (a.kind === 'unsupported' || b.kind === 'unsupported') return { value: INDEFINITE, flags: IE, clause: 'fp/unsupported-invalid' };
  if (a.kind !== 'nan' && b.kind !== 'nan') return null;
  const flags = signals(a) || signals(b) ? IE : 0;
  return { value: quieted(chosen(a, b)), flags, clause: 'fp/nan-x87_larger' };
};

const signals = (value: Value): boolean => value.kind === 'nan' && !value.quiet;

/** A quiet NaN beats a signaling one; else the larger significand wins; of equal ones, the positive. */
const chosen = (a: Value, b: Value): Nan => {
  if (a.kind !== 'nan') return b as Nan;
  if (b.kind !== 'nan') return a;
  if (a.quiet !== b.quiet) return a.quiet ? a : b;
  if (a.payload !== b.payload) return a.payload > b.payload ? a : b;
  return a.sign === 0 ? a : b;
};

/** The operand as a number; only after the rules above have found no NaN. */
export const asNumeric = (value: Value): Numeric => value as Numeric;
