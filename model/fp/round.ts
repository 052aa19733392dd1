/** Rounding: the one place where an exact value becomes inexact. */
import { ModelBug } from '#spec/failure.ts';
import { NEAREST, type Rounding, TRUNCATE, UP } from './exception.ts';
import { type Finite, finite, type Sign, topExponent, type Value } from './value.ts';

export type Rounded = {
  /** A multiple of the last place; may be zero. */
  readonly significand: bigint;
  readonly exponent: number;
  readonly inexact: boolean;
  /** The magnitude grew: what C1 says. */
  readonly up: boolean;
};

/** Round to a multiple of 2^`last`. A sticky value must have digits below that place. */
export const roundAt = (value: Finite, last: number, mode: Rounding): Rounded => {
  const drop = last - value.exponent;
  if (drop <= 0) {
    if (value.sticky) throw new ModelBug('a sticky value rounded below its last digit');
    return { significand: value.significand << BigInt(-drop), exponent: last, inexact: false, up: false };
  }
  const kept = value.significand >> BigInt(drop);
  const rest = value.significand - (kept << BigInt(drop));
  if (rest === 0n && !value.sticky) return { significand: kept, exponent: last, inexact: false, up: false };
  const up = goesUp(value, kept, rest, 1n << BigInt(drop - 1), mode);
  return { significand: up ? kept + 1n : kept, exponent: last, inexact: true, up };
};

/** Whether an inexact magnitude goes away from zero. */
const goesUp = ({ sign, sticky }: Finite, kept: bigint, rest: bigint, half: bigint, mode: Rounding): boolean => {
  if (mode === TRUNCATE) return false;
  if (mode !== NEAREST) return (mode === UP) === (sign === 0);
  if (rest !== half || sticky) return rest >= half;
  return (kept & 1n) === 1n;
};

/** Round to `precision` significant bits, however small or large the value is. */
export const roundToPrecision = (value: Finite, precision: number, mode: Rounding): Rounded =>
  roundAt(value, topExponent(value) - (precision - 1), mode);

/** Whether an overflow in this direction gives infinity rather than the largest number. */
export const overflowsToInfinity = (sign: Sign, mode: Rounding): boolean => {
  if (mode === NEAREST || mode === TRUNCATE) return mode === NEAREST;
  return (mode === UP) === (sign === 0);
};

/** The value rounded to an integer, as a value of the same sign; `precision` bits of it are the format's affair. */
export const roundToInteger = (
  value: Finite,
  mode: Rounding,
): { readonly value: Value; readonly inexact: boolean; readonly up: boolean } => {
  if (value.exponent >= 0 && !value.sticky) return { value, inexact: false, up: false };
  const { significand, inexact, up } = roundAt(value, 0, mode);
  return { value: significand === 0n ? { kind: 'zero', sign: value.sign } : finite(value.sign, significand, 0), inexact, up };
};
