/** Rounding: the one place where an exact value becomes inexact. */
import { ModelBug } from '#spec/failure.ts';
import { NEAREST, type Rounding, TRUNCATE, UP } from './exception.ts';
import { type Finite, type Sign, topExponent } from './value.ts';

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
