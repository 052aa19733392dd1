/** Multiplication, division and the square root. */
import { type Binary, exactly, INVALID, poleOf, type Unary } from './result.ts';
import { bitLength, finite, infinity, type Sign, zero } from './value.ts';

/** a · b. Zero times infinity has no product. */
export const multiply: Binary = (a, b) => {
  const sign = (a.sign ^ b.sign) as Sign;
  if (a.kind === 'infinity' || b.kind === 'infinity') return a.kind === 'zero' || b.kind === 'zero' ? INVALID : exactly(infinity(sign));
  if (a.kind === 'zero' || b.kind === 'zero') return exactly(zero(sign));
  return exactly(finite(sign, a.significand * b.significand, a.exponent + b.exponent));
};

/** Bits of a quotient or root: more than any format rounds to. */
const ENOUGH = 70;

/** a / b. 0/0 and ∞/∞ have no quotient; a number through zero is infinite. */
export const divide: Binary = (a, b) => {
  const sign = (a.sign ^ b.sign) as Sign;
  if (a.kind === 'infinity') return b.kind === 'infinity' ? INVALID : exactly(infinity(sign));
  if (b.kind === 'infinity') return exactly(zero(sign));
  if (b.kind === 'zero') return a.kind === 'zero' ? INVALID : poleOf(sign);
  if (a.kind === 'zero') return exactly(zero(sign));
  const shift = Math.max(0, ENOUGH + bitLength(b.significand) - bitLength(a.significand));
  const dividend = a.significand << BigInt(shift);
  const quotient = dividend / b.significand;
  return exactly(finite(sign, quotient, a.exponent - b.exponent - shift, quotient * b.significand !== dividend));
};

/** √a. −0 is its own root; other negative numbers have none. */
export const squareRoot: Unary = (a) => {
  if (a.kind === 'zero') return exactly(a);
  if (a.sign === 1) return INVALID;
  if (a.kind === 'infinity') return exactly(a);
  const least = Math.max(0, 2 * ENOUGH - bitLength(a.significand));
  const shift = least + ((a.exponent - least) & 1);
  const square = a.significand << BigInt(shift);
  const root = integerRoot(square);
  return exactly(finite(0, root, (a.exponent - shift) / 2, root * root !== square));
};

/** ⌊√n⌋ for n ≥ 1, by Newton's iteration from above. */
export const integerRoot = (n: bigint): bigint => {
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
};
