/** Numbers at which floating-point instructions turn, and vectors of elements of any kind. */
import type { Stream } from './stream.ts';
import { operandValue } from './values.ts';

/** A format with a hidden bit: bits of exponent and fraction. */
type Format = { readonly exponent: number; readonly fraction: number };
const SINGLE: Format = { exponent: 8, fraction: 23 };
const DOUBLE: Format = { exponent: 11, fraction: 52 };

const random = (s: Stream, bits: number): bigint => BigInt.asUintN(bits, bits > 64 ? (s.bits64() << 64n) | s.bits64() : s.bits64());

/** Fractions: none, all, one bit at either end, a few bits, anything. */
const fraction = (s: Stream, bits: number): bigint => {
  const all = (1n << BigInt(bits)) - 1n;
  switch (s.below(8)) {
    case 0:
    case 1:
      return 0n;
    case 2:
      return s.pick([1n, all, all - 1n, 1n << BigInt(bits - 1), (1n << BigInt(bits - 1)) - 1n]);
    case 3:
      return 1n << BigInt(s.below(bits));
    case 4:
      // Exactly representable in fewer digits, or just not.
      return ((random(s, bits) >> BigInt(s.below(bits))) << BigInt(s.below(bits))) & all;
    default:
      return random(s, bits);
  }
};

/** An exponent field: both ends, around one, around the width of integers, near another's limits, anything. */
const exponent = (s: Stream, bits: number): number => {
  const most = 2 ** bits - 1;
  const bias = 2 ** (bits - 1) - 1;
  switch (s.below(12)) {
    case 0:
      return 0;
    case 1:
      return most;
    case 2:
      return s.pick([1, 2, most - 1, most - 2]);
    case 3:
    case 4:
    case 5:
      return bias + s.int(-3, 3);
    case 6:
      return bias + s.int(-70, 70);
    case 7:
      return Math.min(most, Math.max(0, bias + s.pick([-1, 1]) * s.pick([126, 127, 128, 149, 150, 1022, 1023, 1024, 1074]) + s.int(-2, 2)));
    case 8:
      return bias + s.pick([14, 15, 16, 30, 31, 32, 61, 62, 63, 64]);
    default:
      return s.below(most + 1);
  }
};

const float = (s: Stream, { exponent: e, fraction: f }: Format): bigint => {
  const sign = BigInt(s.below(2)) << BigInt(e + f);
  return sign | (BigInt(Math.min(2 ** e - 1, exponent(s, e))) << BigInt(f)) | fraction(s, f);
};

export const single = (s: Stream): bigint => float(s, SINGLE);
export const double = (s: Stream): bigint => float(s, DOUBLE);

/** 80 bits, with the integer bit as the exponent wants it; once in twelve otherwise: pseudo-denormals, unnormals, pseudo-infinities. */
export const extended = (s: Stream): bigint => {
  if (s.one(5)) return fromDouble(double(s));
  const e = Math.min(0x7fff, exponent(s, 15));
  const integer = (e !== 0) !== s.one(12) ? 1n << 63n : 0n;
  return (BigInt(s.below(2)) << 79n) | (BigInt(e) << 64n) | integer | fraction(s, 63);
};

/** A double as 80 bits, denormals normalised. */
const fromDouble = (bits: bigint): bigint => {
  const sign = (bits >> 63n) << 79n;
  const e = Number((bits >> 52n) & 0x7ffn);
  const f = bits & 0xfffffffffffffn;
  if (e === 0x7ff) return sign | (0x7fffn << 64n) | (1n << 63n) | (f << 11n);
  if (e === 0 && f === 0n) return sign;
  if (e !== 0) return sign | (BigInt(e - 1023 + 16383) << 64n) | (1n << 63n) | (f << 11n);
  const shift = 52 - (f.toString(2).length - 1);
  return sign | (BigInt(1 - shift - 1023 + 16383) << 64n) | (f << BigInt(11 + shift));
};

/** Packed decimal: digits, or now and then what is none. */
export const decimal = (s: Stream): bigint => {
  let value = BigInt(s.one(8) ? s.below(256) : s.pick([0, 0x80])) << 72n;
  const digits = s.pick([0, 1, 4, 9, 18, 18, 18]);
  for (let n = 0; n < digits; n++) value |= BigInt(s.one(60) ? s.below(16) : s.pick([0, 9, s.below(10)])) << BigInt(4 * n);
  return value;
};

export type Element = 'single' | 'double' | 'b' | 'w' | 'd' | 'q' | 'dq' | 'extended' | 'decimal';
const BITS: Readonly<Record<Element, number>> = { single: 32, double: 64, b: 8, w: 16, d: 32, q: 64, dq: 128, extended: 80, decimal: 80 };

const element = (s: Stream, kind: Element): bigint => {
  switch (kind) {
    case 'single':
      return single(s);
    case 'double':
      return double(s);
    case 'extended':
      return extended(s);
    case 'decimal':
      return decimal(s);
    default:
      return operandValue(s, BITS[kind] / 8);
  }
};

/** So many bits of elements of one kind. */
export const vector = (s: Stream, kind: Element, bits: number): bigint => {
  let value = 0n;
  const same = s.one(6) ? element(s, kind) : null;
  for (let at = 0; at < bits; at += BITS[kind]) value |= (same ?? element(s, kind)) << BigInt(at);
  return BigInt.asUintN(bits, value);
};
