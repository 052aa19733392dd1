/**
 * Putting a result into a format: rounding, overflow, underflow and the exceptions that only the result raises. Numbers are tiny
 * when they are below the smallest normal number after rounding to the format's digits with any exponent.
 */
import { OE, PE, type Rounding, UE } from './exception.ts';
import { EXTENDED, encodeFinite80, encodeInfinity80, encodeLargest80, encodeNan80, encodeZero80 } from './extended.ts';
import { encodeFinite, encodeInfinity, encodeLargest, encodeNan, encodeZero, type Format } from './format.ts';
import { overflowsToInfinity, type Rounded, roundAt, roundToPrecision } from './round.ts';
import { bitLength, type Finite, type Nan, type Numeric, type Sign, topExponent } from './value.ts';

/** How results are rounded, and which exceptions have a default answer. */
export type Delivery = {
  readonly mode: Rounding;
  /** Exceptions that are masked, as IE to PE. */
  readonly masks: number;
  /** MXCSR.FTZ: a tiny result becomes zero while its underflow is masked. */
  readonly flushToZero: boolean;
};

export type Delivered = {
  readonly bits: bigint;
  /** OE, UE, PE. */
  readonly flags: number;
  /** The magnitude was rounded up: C1. */
  readonly up: boolean;
};

const plainly = (bits: bigint): Delivered => ({ bits, flags: 0, up: false });
const topOf = ({ significand, exponent }: Rounded): number => bitLength(significand) + exponent - 1;
const precisionFlag = ({ inexact }: Rounded): number => (inexact ? PE : 0);

/** A result in binary32 or binary64. When an unmasked exception comes of it, `bits` mean nothing. */
export const deliver = (value: Numeric | Nan, format: Format, delivery: Delivery): Delivered => {
  switch (value.kind) {
    case 'nan':
      return plainly(encodeNan(value, format));
    case 'infinity':
      return plainly(encodeInfinity(value.sign, format));
    case 'zero':
      return plainly(encodeZero(value.sign, format));
    default:
      return deliverFinite(value, format, delivery);
  }
};

const deliverFinite = (value: Finite, format: Format, { mode, masks, flushToZero }: Delivery): Delivered => {
  const { sign } = value;
  const free = roundToPrecision(value, format.precision, mode);
  if (topOf(free) > format.highest) {
    const infinite = overflowsToInfinity(sign, mode);
    const bits = infinite ? encodeInfinity(sign, format) : encodeLargest(sign, format);
    return { bits, flags: OE | (masks & OE ? PE : precisionFlag(free)), up: infinite };
  }
  const tiny = topOf(free) < format.lowest;
  if (tiny && (masks & UE) === 0) return { bits: 0n, flags: UE | precisionFlag(free), up: free.up };
  if (tiny && flushToZero) return { bits: encodeZero(sign, format), flags: UE | PE, up: false };
  const last = Math.max(topExponent(value), format.lowest) - (format.precision - 1);
  const rounded = roundAt(value, last, mode);
  const bits = packed(sign, rounded, format);
  return { bits, flags: precisionFlag(rounded) | (tiny && rounded.inexact ? UE : 0), up: rounded.up };
};

/** A carry out of the top digit has moved the number to the next exponent. */
const packed = (sign: Sign, { significand, exponent }: Rounded, format: Format): bigint =>
  significand === 0n
    ? encodeZero(sign, format)
    : bitLength(significand) > format.precision
      ? encodeFinite(sign, significand >> 1n, exponent + 1, format)
      : encodeFinite(sign, significand, exponent, format);

/** What is added to or taken from the exponent of a result whose overflow or underflow is not masked. */
const BIAS_ADJUST = 24576;

/** A result in the 80-bit format with `precision` digits: 24, 53 or 64 by the precision control, 64 where it does not apply. */
export const deliver80 = (value: Numeric | Nan, precision: number, mode: Rounding, masks: number): Delivered => {
  switch (value.kind) {
    case 'nan':
      return plainly(encodeNan80(value));
    case 'infinity':
      return plainly(encodeInfinity80(value.sign));
    case 'zero':
      return plainly(encodeZero80(value.sign));
    default:
      return deliverFinite80(value, precision, mode, masks);
  }
};

const deliverFinite80 = (value: Finite, precision: number, mode: Rounding, masks: number): Delivered => {
  const { sign } = value;
  const free = roundToPrecision(value, precision, mode);
  if (topOf(free) > EXTENDED.highest) {
    if ((masks & OE) === 0) return raising(adjusted(sign, free, -BIAS_ADJUST), OE);
    const infinite = overflowsToInfinity(sign, mode);
    return { bits: infinite ? encodeInfinity80(sign) : encodeLargest80(sign, precision), flags: OE | PE, up: infinite };
  }
  const tiny = topOf(free) < EXTENDED.lowest;
  if (tiny && (masks & UE) === 0) return raising(adjusted(sign, free, BIAS_ADJUST), UE);
  const rounded = roundAt(value, Math.max(topExponent(value), EXTENDED.lowest) - (precision - 1), mode);
  const bits = encodeFinite80(sign, rounded.significand, rounded.exponent);
  return { bits, flags: precisionFlag(rounded) | (tiny && rounded.inexact ? UE : 0), up: rounded.up };
};

/** The number with its exponent brought back into range. FSCALE goes beyond: what is still outside becomes infinity or zero. */
const adjusted = (sign: Sign, rounded: Rounded, by: number): Delivered => {
  const top = topOf(rounded) + by;
  if (top > EXTENDED.highest) return { bits: encodeInfinity80(sign), flags: PE, up: true };
  if (top < EXTENDED.lowest) return { bits: encodeZero80(sign), flags: PE, up: false };
  return { bits: encodeFinite80(sign, rounded.significand, rounded.exponent + by), flags: precisionFlag(rounded), up: rounded.up };
};

const raising = (delivered: Delivered, flag: number): Delivered => ({ ...delivered, flags: delivered.flags | flag });
