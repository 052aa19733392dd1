/** 2^x − 1. */
import { bitLength, type Finite, finite, type Numeric } from '../value.ts';
import { ln2 } from './constants.ts';
import { settle } from './settle.ts';

/** Σ z^n/(n+1)! = (e^z − 1)/z, fixed-point. */
const growth = (z: bigint, digits: number): bigint => {
  let term = 1n << BigInt(digits);
  let sum = term;
  for (let n = 2n; term !== 0n && term !== -1n; n++) {
    term = ((term * z) >> BigInt(digits)) / n;
    sum += term;
  }
  return sum;
};

/** 2^x − 1 for 0 < |x| ≤ 1. 2^x − 1 = z · (e^z − 1)/z with z = x ln 2, so small x lose nothing. */
export const exponentialMinus1 = (x: Finite): Numeric => {
  if (x.significand === 1n << BigInt(-x.exponent)) return x.sign === 1 ? finite(1, 1n, -1) : finite(0, 1n, 0);
  return settle(x.sign, (wanted) => {
    const digits = wanted + 16;
    const product = x.significand * ln2(digits);
    const magnitude = product >> BigInt(-x.exponent);
    const factor = growth(x.sign === 1 ? -magnitude : magnitude, digits);
    const length = bitLength(x.significand) + digits;
    return { significand: (product * factor) >> BigInt(length), exponent: x.exponent - 2 * digits + length };
  });
};
