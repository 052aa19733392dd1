/** Order of numbers. */
import { type Numeric, significandAt } from './value.ts';

export type Order = 'less' | 'equal' | 'greater' | 'unordered';

const rank = (value: Numeric): number => (value.kind === 'infinity' ? (value.sign === 1 ? -1 : 1) : 0);
const orderOf = <T extends number | bigint>(a: T, b: T): Order => (a < b ? 'less' : a > b ? 'greater' : 'equal');

/** Exact, both zeros being equal. What NaNs do is decided by whoever asks. */
export const compare = (a: Numeric, b: Numeric): Order => {
  if (a.kind === 'infinity' || b.kind === 'infinity') return orderOf(rank(a), rank(b));
  const exponent = Math.min(a.kind === 'zero' ? 0 : a.exponent, b.kind === 'zero' ? 0 : b.exponent);
  return orderOf(significandAt(a, exponent), significandAt(b, exponent));
};
