/**
 * Operations on the elements of SSE registers. An instruction works in two stages for all its elements together: what their operands
 * raise, and unless that stops it, what their results raise.
 */

import type { ClauseId } from '#spec/clauses.ts';
import { compare, type Order } from './compare.ts';
import { type Delivery, deliver } from './deliver.ts';
import { DE, IE, PE, type Rounding } from './exception.ts';
import { type Format, unpack } from './format.ts';
import { toInteger, toWhole } from './integer.ts';
import { asNumeric, refusedBySse } from './nan.ts';
import type { Binary, Unary } from './result.ts';
import { isDenormal, type Nan, type Numeric, type Value, zero } from './value.ts';

/** What MXCSR says about results. */
export type SseControl = Delivery & { readonly denormalsAreZero: boolean };

/** What came of one element. */
export type Bits = { readonly bits: bigint; readonly flags: number };
/** An element whose operands have been looked at: what they raise, and how to make the result. */
export type Element = {
  readonly before: number;
  readonly result: () => Bits /** What decided it before any number was seen. */;
  readonly clause?: ClauseId;
};

/** All elements of an instruction. `raised`: one of `flags` is unmasked, and there is no result. */
export type Elements = { readonly bits: readonly bigint[]; readonly flags: number; readonly raised: boolean };

export const conclude = (elements: readonly Element[], { masks }: Delivery): Elements => {
  const before = elements.reduce((flags, element) => flags | element.before, 0);
  if ((before & ~masks) !== 0) return { bits: [], flags: before, raised: true };
  const results = elements.map(({ result }) => result());
  const flags = results.reduce((all, result) => all | result.flags, before);
  return { bits: results.map(({ bits }) => bits), flags, raised: (flags & ~masks) !== 0 };
};

/** What the bits mean; with DAZ a denormal means zero. */
export const operandOf = (bits: bigint, format: Format, { denormalsAreZero }: SseControl): Value => {
  const value = unpack(bits, format);
  return denormalsAreZero && value.kind === 'finite' && value.denormal ? zero(value.sign) : value;
};

const delivered = (value: Numeric | Nan, before: number, format: Format, control: SseControl): Element => ({
  before,
  result: () => deliver(value, format, control),
});

const computed = (value: Numeric | Nan, flags: number, operands: readonly Value[], format: Format, control: SseControl): Element =>
  delivered(value, flags === 0 && operands.some(isDenormal) ? DE : flags, format, control);

export const binaryElement = (operation: Binary, x: bigint, y: bigint, format: Format, control: SseControl): Element => {
  const a = operandOf(x, format, control);
  const b = operandOf(y, format, control);
  const refused = refusedBySse(a, b);
  if (refused) return { ...delivered(refused.value, refused.flags, format, control), clause: refused.clause };
  const { value, flags } = operation(asNumeric(a), asNumeric(b), control.mode);
  return computed(value, flags, [a, b], format, control);
};

/** `to`: the format of the result, when it is another. */
export const unaryElement = (operation: Unary, x: bigint, format: Format, control: SseControl, to: Format = format): Element => {
  const a = operandOf(x, format, control);
  const refused = refusedBySse(a, a);
  if (refused) return { ...delivered(refused.value, refused.flags, to, control), clause: refused.clause };
  const { value, flags } = operation(asNumeric(a));
  return computed(value, flags, [a], to, control);
};

/** A value that is known, such as an integer, put into a format. */
export const exactElement = (value: Numeric, format: Format, control: SseControl): Element => delivered(value, 0, format, control);

const fixed = (bits: bigint, flags: number): Element => ({ before: flags, result: () => ({ bits, flags: 0 }) });

/** The operand as it goes through when it is chosen: a denormal is a zero under DAZ. */
const passed = (bits: bigint, value: Value, format: Format): bigint =>
  value.kind === 'zero' ? (bits >> BigInt(format.width - 1)) << BigInt(format.width - 1) : bits;

/** fp/sse-minimum: the first operand when it is on the wanted side of the second, in all other cases the second. */
export const minimumElement = (wanted: Order, x: bigint, y: bigint, format: Format, control: SseControl): Element => {
  const a = operandOf(x, format, control);
  const b = operandOf(y, format, control);
  const second = passed(y, b, format);
  if (refusedBySse(a, b)) return fixed(second, IE);
  const flags = isDenormal(a) || isDenormal(b) ? DE : 0;
  return fixed(compare(asNumeric(a), asNumeric(b)) === wanted ? passed(x, a, format) : second, flags);
};

/** The order of two elements. A quiet NaN is invalid only when the comparison is `ordered`. */
export const orderOf = (
  x: bigint,
  y: bigint,
  ordered: boolean,
  format: Format,
  control: SseControl,
): { readonly order: Order; readonly flags: number } => {
  const a = operandOf(x, format, control);
  const b = operandOf(y, format, control);
  const refused = refusedBySse(a, b);
  if (refused) return { order: 'unordered', flags: ordered ? IE : refused.flags };
  return { order: compare(asNumeric(a), asNumeric(b)), flags: isDenormal(a) || isDenormal(b) ? DE : 0 };
};

/** A comparison's answer: all ones or zero. */
export const comparedElement = (
  holds: (order: Order) => boolean,
  x: bigint,
  y: bigint,
  ordered: boolean,
  format: Format,
  control: SseControl,
): Element => {
  const { order, flags } = orderOf(x, y, ordered, format, control);
  return fixed(holds(order) ? (1n << BigInt(format.width)) - 1n : 0n, flags);
};

/** To a signed integer of `width` bits; what has none gives only the top bit, and I. Denormals are not told. */
export const integerElement = (x: bigint, width: number, mode: Rounding, format: Format, control: SseControl): Element => {
  const { integer, flags } = toInteger(operandOf(x, format, control), width, mode);
  if (integer === null) return fixed(1n << BigInt(width - 1), IE);
  return { before: 0, result: () => ({ bits: BigInt.asUintN(width, integer), flags }) };
};

/** ROUNDPS and its kin: to a whole number. `quiet`: P is not told. Denormals are not told either. */
export const wholeElement = (x: bigint, mode: Rounding, quiet: boolean, format: Format, control: SseControl): Element => {
  const a = operandOf(x, format, control);
  const refused = refusedBySse(a, a);
  if (refused) return { ...delivered(refused.value, refused.flags, format, control), clause: refused.clause };
  const { value, inexact } = toWhole(asNumeric(a), mode);
  return { before: 0, result: () => ({ bits: deliver(value, format, control).bits, flags: inexact && !quiet ? PE : 0 }) };
};
