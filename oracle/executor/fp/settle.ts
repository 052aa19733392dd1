/** From an approximation to the correctly rounded result: with more and more bits, until rounding no longer depends on the error. */
import type { Environment } from './environment.ts';
import { EXTENDED } from './format.ts';
import { bitLength, type Fp } from './number.ts';
import { round } from './round.ts';

/** A magnitude times two to the exponent. */
export type Approximation = { readonly magnitude: bigint; readonly exponent: number };

/** Bits that an approximation is asked for at first, and how many of them may be wrong. */
const FIRST = 192;
const UNSURE = 48;
/** Bits that rounding looks at: the format's, one for halves, and one to spare. */
const KEPT = 66;

/**
 * The 80-bit number nearest to what `approximate` gives to any number of bits, relatively. The true value must have no short binary
 * fraction: those are for the caller.
 */
export const settle = (env: Environment, sign: number, approximate: (bits: number) => Approximation): Fp => {
  for (let bits = FIRST; ; bits *= 2) {
    const { magnitude, exponent } = approximate(bits);
    const length = bitLength(magnitude);
    const error = 1n << BigInt(length - bits + UNSURE);
    const shift = BigInt(length - KEPT);
    const low = (magnitude - error) >> shift;
    if (low === (magnitude + error) >> shift) return round(env, EXTENDED, sign, (low << 1n) | 1n, exponent + length - KEPT - 1);
  }
};
