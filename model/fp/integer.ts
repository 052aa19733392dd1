/** Between numbers and integers. */
import { PE, type Rounding } from './exception.ts';
import { roundAt } from './round.ts';
import { finite, type Numeric, type Value, zero } from './value.ts';

/** Rounded to a whole number: of the same sign when it is zero. Infinities are whole. */
export const toWhole = (value: Numeric, mode: Rounding): { readonly value: Numeric; readonly inexact: boolean; readonly up: boolean } => {
  if (value.kind !== 'finite' || (value.exponent >= 0 && !value.sticky)) return { value, inexact: false, up: false };
  const { significand, inexact, up } = roundAt(value, 0, mode);
  return { value: significand === 0n ? zero(value.sign) : finite(value.sign, significand, 0), inexact, up };
};

export type Converted = {
  /** Null when the integer does not fit: the operation is invalid. */
  readonly integer: bigint | null;
  readonly flags: number;
  readonly up: boolean;
};
const NO_INTEGER: Converted = { integer: null, flags: 0, up: false };

/** To a signed integer of `bits` bits. NaNs, infinities and everything else that does not fit after rounding has none. */
export const toInteger = (value: Value, bits: number, mode: Rounding): Converted => {
  if (value.kind === 'zero') return { integer: 0n, flags: 0, up: false };
  if (value.kind !== 'finite') return NO_INTEGER;
  const { significand, exponent, inexact, up } = roundAt(value, Math.max(0, value.exponent), mode);
  const whole = significand << BigInt(exponent);
  const integer = value.sign === 1 ? -whole : whole;
  if (BigInt.asIntN(bits, integer) !== integer) return NO_INTEGER;
  return { integer, flags: inexact ? PE : 0, up };
};

/** What an integer of `bits` bits becomes when there is none: only the top bit set. */
export const integerIndefinite = (bits: number): bigint => -1n << BigInt(bits - 1);
