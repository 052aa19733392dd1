/** RCP and RSQRT: approximations on silicon, here the nearest single-precision number. They raise nothing. */
import { deliver } from './deliver.ts';
import { ALL_EXCEPTIONS, NEAREST } from './exception.ts';
import { BINARY32, unpack } from './format.ts';
import { divide, squareRoot } from './multiply.ts';
import { refusedBySse } from './nan.ts';
import { finite, infinity, type Nan, type Numeric, topExponent, type Value, zero } from './value.ts';

const ONE = finite(0, 1n, 0);
const QUIETLY = { mode: NEAREST, masks: ALL_EXCEPTIONS, flushToZero: true } as const;

/** Denormal operands count as zero, denormal results become zero. */
const approximate = (bits: bigint, f: (x: Numeric) => Numeric | Nan): bigint => {
  const value: Value = unpack(bits, BINARY32);
  const refused = refusedBySse(value, value);
  if (refused) return deliver(refused.value, BINARY32, QUIETLY).bits;
  const operand = value.kind === 'finite' && value.denormal ? zero(value.sign) : (value as Numeric);
  return deliver(f(operand), BINARY32, QUIETLY).bits;
};

/** Operands from this exponent on give zero, even 2^126, whose reciprocal is the smallest normal number. */
const FIRST_LOST_EXPONENT = 126;

export const reciprocal = (bits: bigint): bigint =>
  approximate(bits, (x) => (x.kind === 'finite' && topExponent(x) >= FIRST_LOST_EXPONENT ? zero(x.sign) : divide(ONE, x, NEAREST).value));

/** 1/√x with enough digits: the root of 1/x, which is sticky, is taken of many more digits than are rounded to. */
export const reciprocalRoot = (bits: bigint): bigint =>
  approximate(bits, (x) => {
    if (x.kind === 'zero') return infinity(x.sign);
    if (x.kind !== 'finite' || x.sign === 1) return x.kind === 'infinity' && x.sign === 0 ? zero(0) : squareRoot(finite(1, 1n, 0)).value;
    return inverseRoot(x.significand, x.exponent);
  });

const DIGITS = 200;

/** √(2^(2n) / significand) scaled; never half-way between two single-precision numbers, so a sticky last digit is right. */
const inverseRoot = (significand: bigint, exponent: number): Numeric | Nan => {
  const scale = 2 * DIGITS + (exponent & 1);
  const quotient = (1n << BigInt(scale)) / significand;
  const exact = quotient * significand === 1n << BigInt(scale);
  const root = squareRoot(finite(0, quotient, -scale - exponent)).value;
  return root.kind === 'finite' && !exact ? { ...root, sticky: true } : root;
};
