/** The three formats: from bits to numbers and, for numbers that the format has exactly, back. Intel SDM volume 1, 4.2 and 8.2. */
import { FINITE, Fp, finite, INFINITE, INTEGER_BIT, infinity, leading, NAN, UNSUPPORTED, ZERO, zero } from './number.ts';

export type Format = {
  /** Significant bits, the leading one included. */
  readonly precision: number;
  /** Exponents of the leading bit of normal numbers. */
  readonly lowest: number;
  readonly highest: number;
};

export const BINARY32: Format = { precision: 24, lowest: -126, highest: 127 };
export const BINARY64: Format = { precision: 53, lowest: -1022, highest: 1023 };
export const EXTENDED: Format = { precision: 64, lowest: -16382, highest: 16383 };

/** Shared shape of the two formats with a hidden bit: `fraction` bits, all-ones exponent `special`. */
const unpack = (sign: number, biased: number, fraction: bigint, bits: number, special: number, lowest: number): Fp => {
  if (biased === special) {
    if (fraction === 0n) return infinity(sign);
    return new Fp(NAN, sign, 0, INTEGER_BIT | (fraction << BigInt(63 - bits)), false);
  }
  if (biased === 0) return fraction === 0n ? zero(sign) : finite(sign, fraction, lowest - bits, true);
  return new Fp(FINITE, sign, biased - 1 + lowest - 63, INTEGER_BIT | (fraction << BigInt(63 - bits)), false);
};

/** From the 32 bits. */
export const fromBits32 = (bits: number): Fp =>
  unpack(bits >>> 31, (bits >>> 23) & 0xff, BigInt(bits & 0x7fffff), 23, 0xff, BINARY32.lowest);

/** From the 64 bits, by halves. */
export const fromBits64 = (lo: number, hi: number): Fp =>
  unpack(hi >>> 31, (hi >>> 20) & 0x7ff, (BigInt(hi & 0xfffff) << 32n) | BigInt(lo >>> 0), 52, 0x7ff, BINARY64.lowest);

/** From sign and exponent (the upper 16 bits) and the 64-bit significand. */
export const fromBits80 = (top: number, significand: bigint): Fp => {
  const sign = (top >> 15) & 1;
  const biased = top & 0x7fff;
  if (biased === 0) {
    return significand === 0n ? zero(sign) : finite(sign, significand, EXTENDED.lowest - 63, true);
  }
  if (significand < INTEGER_BIT) return new Fp(UNSUPPORTED, sign, 0, significand, false);
  if (biased === 0x7fff) return significand === INTEGER_BIT ? infinity(sign) : new Fp(NAN, sign, 0, significand, false);
  return new Fp(FINITE, sign, biased - 16383 - 63, significand, false);
};

/** Fraction and biased exponent of a number that has no more than the format's bits. */
const pack = (x: Fp, format: Format): { biased: number; fraction: bigint } => {
  const bits = format.precision - 1;
  const special = 2 * format.highest + 1;
  const fractionMask = (1n << BigInt(bits)) - 1n;
  const aligned = x.significand >> BigInt(63 - bits);
  if (x.kind === ZERO) return { biased: 0, fraction: 0n };
  if (x.kind === INFINITE) return { biased: special, fraction: 0n };
  if (x.kind !== FINITE) return { biased: special, fraction: aligned & fractionMask };
  const above = leading(x) - format.lowest;
  if (above < 0) return { biased: 0, fraction: aligned >> BigInt(-above) };
  return { biased: above + 1, fraction: aligned & fractionMask };
};

/** The 32 bits as an int32. */
export const toBits32 = (x: Fp): number => {
  const { biased, fraction } = pack(x, BINARY32);
  return (x.sign << 31) | (biased << 23) | Number(fraction);
};

/** The 64 bits as an unsigned integer. */
export const toBits64 = (x: Fp): bigint => {
  const { biased, fraction } = pack(x, BINARY64);
  return (BigInt((x.sign << 11) | biased) << 52n) | fraction;
};

/** Sign and exponent of the 80-bit form; its significand is `significand80`. */
export const top80 = (x: Fp): number => {
  const sign = x.sign << 15;
  if (x.kind === ZERO) return sign;
  if (x.kind !== FINITE) return sign | 0x7fff;
  const above = leading(x) - EXTENDED.lowest;
  return sign | (above < 0 ? 0 : above + 1);
};

export const significand80 = (x: Fp): bigint => {
  if (x.kind !== FINITE) return x.significand;
  const above = leading(x) - EXTENDED.lowest;
  return above < 0 ? x.significand >> BigInt(-above) : x.significand;
};
