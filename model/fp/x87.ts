/** Operations on 80-bit registers: which exceptions come first, what NaNs do, how the result is rounded. */
import type { ClauseId } from '#spec/clauses.ts';
import { compare, type Order } from './compare.ts';
import { type Delivered, deliver80 } from './deliver.ts';
import { DE, IE, type Rounding } from './exception.ts';
import { asNumeric, refusedByX87 } from './nan.ts';
import type { Binary, Computed, Unary } from './result.ts';
import { isDenormal, type Nan, type Numeric, type Value, zero } from './value.ts';

/** What the control word says about results. */
export type Control = {
  /** Digits that the basic operations round to: 24, 53 or 64. */
  readonly precision: number;
  readonly mode: Rounding;
  readonly masks: number;
};

/** `result` null: an unmasked exception was found before there was a result, and nothing is stored. */
export type Answer = {
  readonly result: bigint | null;
  readonly flags: number;
  readonly up: boolean;
  readonly clause: ClauseId | null;
};

const answer = ({ bits, up, flags }: Delivered, before: number, clause: ClauseId | null): Answer => ({
  result: bits,
  flags: flags | before,
  up,
  clause,
});

/** Round a value that `before` has been found out about its operands. */
export const concluded = (value: Numeric | Nan, before: number, control: Control, clause: ClauseId | null = null): Answer => {
  if ((before & ~control.masks) !== 0) return { result: null, flags: before, up: false, clause: 'fp/before-unmasked_stops' };
  const told = before & DE ? 'fp/before-denormal_last' : clause;
  return answer(deliver80(value, control.precision, control.mode, control.masks), before, told);
};

/** fp/before-denormal_last: a denormal operand is only spoken of when neither I nor Z is. */
export const withDenormal = ({ value, flags }: Computed, ...operands: readonly Value[]): Computed => ({
  value,
  flags: flags === 0 && operands.some(isDenormal) ? DE : flags,
});

/** An operation on two operands. */
export const binary80 = (operation: Binary, a: Value, b: Value, control: Control): Answer => {
  const refused = refusedByX87(a, b);
  if (refused) return concluded(refused.value, refused.flags, control, refused.clause);
  const { value, flags } = withDenormal(operation(asNumeric(a), asNumeric(b), control.mode), a, b);
  return concluded(value, flags, control);
};

export const unary80 = (operation: Unary, a: Value, control: Control): Answer => {
  const refused = refusedByX87(a, a);
  if (refused) return concluded(refused.value, refused.flags, control, refused.clause);
  const { value, flags } = withDenormal(operation(asNumeric(a)), a);
  return concluded(value, flags, control);
};

/**
 * The order of two operands. Quiet NaNs are invalid only when the comparison is `ordered`; `flags` unmasked mean that there is no
 * answer.
 */
export const compare80 = (a: Value, b: Value, ordered: boolean): { readonly order: Order; readonly flags: number } => {
  const refused = refusedByX87(a, b);
  if (refused) return { order: 'unordered', flags: ordered ? IE : refused.flags };
  return { order: compare(asNumeric(a), asNumeric(b)), flags: isDenormal(a) || isDenormal(b) ? DE : 0 };
};

/** What FTST compares with. */
export const ZERO_VALUE = zero(0);
