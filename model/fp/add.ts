/** Addition and subtraction. */
import { DOWN, type Rounding } from './exception.ts';
import { type Binary, exactly, INVALID } from './result.ts';
import { type Finite, negated, scaled, significandAt, zero } from './value.ts';

/**
 * a + b. Infinities of different signs have no sum. A sum that is exactly zero is positive, or negative when rounding goes down,
 * unless both operands are zeros of one sign.
 */
export const add: Binary = (a, b, mode) => {
  if (a.kind === 'infinity') return b.kind === 'infinity' && a.sign !== b.sign ? INVALID : exactly(a);
  if (b.kind === 'infinity') return exactly(b);
  if (a.kind === 'zero') return exactly(b.kind === 'zero' && a.sign !== b.sign ? zero(signOfNothing(mode)) : cleared(b));
  if (b.kind === 'zero') return exactly(cleared(a));
  const exponent = Math.min(a.exponent, b.exponent);
  return exactly(scaled(significandAt(a, exponent) + significandAt(b, exponent), exponent, signOfNothing(mode)));
};

/** a − b. */
export const subtract: Binary = (a, b, mode) => add(a, negated(b), mode);

const signOfNothing = (mode: Rounding): 0 | 1 => (mode === DOWN ? 1 : 0);

/** A result is nobody's denormal operand. */
const cleared = <V extends Finite | { readonly kind: 'zero' }>(value: V): V =>
  value.kind === 'finite' ? { ...value, denormal: false } : value;
