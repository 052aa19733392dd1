/** Transcendental results exact enough to be rounded correctly: computed with more and more digits until those that matter stand. */
import { bitLength, type Finite, finite, type Sign } from '../value.ts';

/** A positive number within 2^16 of `significand`, times 2^`exponent`. */
export type Approximation = { readonly significand: bigint; readonly exponent: number };

const ERROR = 1n << 16n;
/** Digits that must stand: more than any rounding looks at, sticky digit included. */
const DIGITS = 70;
const FIRST_TRY = 128;

/** The number that `approximate` comes ever closer to. It must not have a finite binary expansion. */
export const settle = (sign: Sign, approximate: (digits: number) => Approximation): Finite => {
  for (let digits = FIRST_TRY; ; digits *= 2) {
    const { significand, exponent } = approximate(digits);
    const drop = bitLength(significand) - DIGITS;
    if (drop <= 17) continue;
    const least = (significand - ERROR) >> BigInt(drop);
    if (least === (significand + ERROR) >> BigInt(drop)) return finite(sign, least, exponent + drop, true);
  }
};

/** A number closer to this one than any rounding can tell, of smaller magnitude. */
export const justBelow = (sign: Sign, significand: bigint, exponent: number): Finite =>
  finite(sign, (significand << BigInt(DIGITS)) - 1n, exponent - DIGITS, true);
/** The same, of larger magnitude. */
export const justAbove = (sign: Sign, significand: bigint, exponent: number): Finite =>
  finite(sign, significand << BigInt(DIGITS), exponent - DIGITS, true);

/** Below 2 to this power, x and sin x, tan x, atan x differ beyond what rounding can tell. */
export const NEGLIGIBLE = -70;

/** n / d with about `digits` binary digits. */
export const ratio = (n: bigint, d: bigint, digits: number): Approximation => {
  const shift = Math.max(0, digits + bitLength(d) - bitLength(n));
  return { significand: (n << BigInt(shift)) / d, exponent: -shift };
};
