/**
 * The 80-bit format of the x87 registers: sign and exponent above a significand of 64 bits whose integer bit is explicit. Bits are
 * one integer here, exponent and sign in bits 79 to 64.
 */
import { bitLength, finite, infinity, type Nan, type Sign, type Value, zero } from './value.ts';

/** Exponents (of a significand 1.…) of the smallest and the largest normal number, and digits in all. */
export const EXTENDED = { precision: 64, lowest: -16382, highest: 16383 } as const;

const BIAS = 16383;
const LAST = EXTENDED.lowest - 63;
const TOP_FIELD = 0x7fff;
const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;

/** +1, which FPTAN and FLD1 push. */
export const ONE_80 = (BigInt(BIAS) << 64n) | INTEGER_BIT;

/**
 * What the bits mean. An exponent field of 0 makes a denormal, or with the integer bit set a pseudo-denormal of the same exponent;
 * any other field without the integer bit is not supported.
 */
export const unpackExtended = (bits: bigint): Value => {
  const significand = BigInt.asUintN(64, bits);
  const field = Number((bits >> 64n) & 0x7fffn);
  const sign: Sign = (bits >> 79n) & 1n ? 1 : 0;
  if (field === 0) return significand === 0n ? zero(sign) : { ...finite(sign, significand, LAST), denormal: true };
  if ((significand & INTEGER_BIT) === 0n) return { kind: 'unsupported' };
  if (field !== TOP_FIELD) return finite(sign, significand, LAST + field - 1);
  if (significand === INTEGER_BIT) return infinity(sign);
  return { kind: 'nan', sign, quiet: (significand & QUIET_BIT) !== 0n, payload: significand };
};

const encode = (sign: Sign, field: number, significand: bigint): bigint => (BigInt((sign << 15) | field) << 64n) | significand;

/** `significand` · 2^`exponent`, a multiple of the last place of denormals that needs at most 64 digits. */
export const encodeFinite80 = (sign: Sign, significand: bigint, exponent: number): bigint => {
  if (significand === 0n) return encodeZero80(sign);
  const last = Math.max(bitLength(significand) + exponent - 64, LAST);
  const digits = last > exponent ? significand >> BigInt(last - exponent) : significand << BigInt(exponent - last);
  return encode(sign, (digits & INTEGER_BIT) === 0n ? 0 : last - LAST + 1, digits);
};

export const encodeZero80 = (sign: Sign): bigint => encode(sign, 0, 0n);
export const encodeInfinity80 = (sign: Sign): bigint => encode(sign, TOP_FIELD, INTEGER_BIT);
export const encodeNan80 = ({ sign, payload }: Nan): bigint => encode(sign, TOP_FIELD, payload);

/** The largest finite magnitude of `precision` digits. */
export const encodeLargest80 = (sign: Sign, precision: number): bigint =>
  encode(sign, TOP_FIELD - 1, ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision));
