/** Packed decimal: eighteen digits and a sign in ten bytes, as FBLD and FBSTP read and write them. */
import { PE, type Rounding } from './exception.ts';
import { type Converted, toInteger } from './integer.ts';
import { finite, type Numeric, type Sign, type Value, zero } from './value.ts';

const DIGITS = 18;
const LARGEST = 10n ** BigInt(DIGITS) - 1n;

/** The number that the ten bytes say; digits above 9 count as what their four bits say. The sign is bit 79. */
export const fromDecimal = (bits: bigint): Numeric => {
  const sign: Sign = (bits >> 79n) & 1n ? 1 : 0;
  let whole = 0n;
  for (let digit = DIGITS - 1; digit >= 0; digit--) whole = whole * 10n + ((bits >> BigInt(4 * digit)) & 15n);
  return whole === 0n ? zero(sign) : finite(sign, whole, 0);
};

/** What is stored for a number that has no such form. */
export const DECIMAL_INDEFINITE = 0xffff_c000_0000_0000_0000n;

/** Rounded to a whole number of at most eighteen digits; null when it has more. Zero keeps its sign. */
export const toDecimal = (value: Value, mode: Rounding): Converted => {
  if (value.kind !== 'finite' && value.kind !== 'zero') return { integer: null, flags: 0, up: false };
  const sign = BigInt(value.sign) << 79n;
  if (value.kind === 'zero') return { integer: sign, flags: 0, up: false };
  const { integer, flags, up } = toInteger(value, 64, mode);
  if (integer === null) return { integer, flags, up };
  const whole = integer < 0n ? -integer : integer;
  if (whole > LARGEST) return { integer: null, flags: 0, up: false };
  let bits = sign;
  let left = whole;
  for (let digit = 0; left > 0n; digit++) {
    bits |= (left % 10n) << BigInt(4 * digit);
    left /= 10n;
  }
  return { integer: bits, flags: flags & PE, up };
};
