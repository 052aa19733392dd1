/** The formats of IEEE 754 that memory and SSE registers hold: bits to values and back. The 80-bit format is in extended.ts. */
import { finite, infinity, type Nan, type Sign, type Value, zero } from './value.ts';

export type Format = {
  readonly name: 'binary32' | 'binary64';
  /** Bits in all. */
  readonly width: number;
  /** Bits of the significand, the hidden one included. */
  readonly precision: number;
  /** Exponents (of a significand 1.…) of the smallest and the largest normal number. */
  readonly lowest: number;
  readonly highest: number;
};

export const BINARY32: Format = { name: 'binary32', width: 32, precision: 24, lowest: -126, highest: 127 };
export const BINARY64: Format = { name: 'binary64', width: 64, precision: 53, lowest: -1022, highest: 1023 };

const fractionBits = (format: Format): bigint => BigInt(format.precision - 1);
/** The exponent field of infinities and NaNs. */
const topField = (format: Format): bigint => BigInt(format.highest - format.lowest + 2);
const signBit = (format: Format, sign: Sign): bigint => BigInt(sign) << BigInt(format.width - 1);

/** Bits of a NaN's payload that the format lacks. */
const payloadShift = (format: Format): bigint => 64n - BigInt(format.precision);

/** What the bits mean. */
export const unpack = (bits: bigint, format: Format): Value => {
  const fraction = BigInt.asUintN(format.precision - 1, bits);
  const field = BigInt.asUintN(format.width - format.precision, bits >> fractionBits(format));
  const sign: Sign = (bits >> BigInt(format.width - 1)) & 1n ? 1 : 0;
  if (field === topField(format)) {
    if (fraction === 0n) return infinity(sign);
    const payload = (fraction | (1n << fractionBits(format))) << payloadShift(format);
    return { kind: 'nan', sign, quiet: ((payload >> 62n) & 1n) === 1n, payload };
  }
  const last = format.lowest - (format.precision - 1);
  if (field !== 0n) return finite(sign, fraction | (1n << fractionBits(format)), last + Number(field) - 1);
  return fraction === 0n ? zero(sign) : { ...finite(sign, fraction, last), denormal: true };
};

/** `significand` · 2^`exponent` of a number that the format holds: a multiple of its last place, within its range. */
export const encodeFinite = (sign: Sign, significand: bigint, exponent: number, format: Format): bigint => {
  const last = format.lowest - (format.precision - 1);
  const hidden = 1n << fractionBits(format);
  if (significand < hidden) return signBit(format, sign) | significand;
  return signBit(format, sign) | (BigInt(exponent - last + 1) << fractionBits(format)) | (significand - hidden);
};

export const encodeZero = (sign: Sign, format: Format): bigint => signBit(format, sign);
export const encodeInfinity = (sign: Sign, format: Format): bigint => signBit(format, sign) | (topField(format) << fractionBits(format));
/** The largest finite magnitude. */
export const encodeLargest = (sign: Sign, format: Format): bigint => encodeInfinity(sign, format) - 1n;
/** A quiet NaN; payload bits that the format lacks are lost. */
export const encodeNan = ({ sign, payload }: Nan, format: Format): bigint =>
  encodeInfinity(sign, format) | BigInt.asUintN(format.precision - 1, payload >> payloadShift(format));
