/** Rounding: from an exact result to a number of the format. Intel SDM volume 1, 4.8.4 and 4.9.1. */
import type { Environment } from './environment.ts';
import { DOWN, INEXACT, NEAREST, OVERFLOW, TO_ZERO, UNDERFLOW, UP } from './exception.ts';
import { BINARY32, BINARY64, EXTENDED, type Format } from './format.ts';
import { bitLength, FINITE, type Fp, finite, INTEGER_BIT, infinity, leading, zero } from './number.ts';

/** What unmasked overflow and underflow of the x87 add to or take from the exponent. */
const WRAP = 24576;

/** Whether to add one to the kept part: `half` compares the lost part with half a unit (-1, 0, 1), `odd` the kept part's last bit. */
const roundsUp = (rounding: number, sign: number, half: number, odd: boolean): boolean => {
  if (rounding === NEAREST) return half > 0 || (half === 0 && odd);
  if (rounding === TO_ZERO) return false;
  return rounding === (sign === 0 ? UP : DOWN);
};

/** An integer without its low bits, as it was rounded. */
export type Cut = { readonly value: bigint; readonly inexact: boolean; readonly up: boolean };

/** Drop `shift` low bits of a magnitude. */
export const cut = (rounding: number, sign: number, magnitude: bigint, shift: number): Cut => {
  if (shift <= 0) return { value: magnitude << BigInt(-shift), inexact: false, up: false };
  const by = BigInt(shift);
  const kept = magnitude >> by;
  const lost = magnitude - (kept << by);
  if (lost === 0n) return { value: kept, inexact: false, up: false };
  const half = 1n << (by - 1n);
  const up = roundsUp(rounding, sign, lost > half ? 1 : lost === half ? 0 : -1, (kept & 1n) === 1n);
  return { value: up ? kept + 1n : kept, inexact: true, up };
};

const overflowed = (env: Environment, format: Format, sign: number): Fp => {
  env.flags |= OVERFLOW | INEXACT;
  const { rounding } = env;
  const away = rounding === NEAREST || rounding === (sign === 0 ? UP : DOWN);
  env.up = away;
  if (away) return infinity(sign);
  return finite(sign, (1n << BigInt(format.precision)) - 1n, format.highest - format.precision + 1);
};

const noteInexact = (env: Environment, c: Cut): void => {
  env.up = c.up;
  if (c.inexact) env.flags |= INEXACT;
};

/** A result that nobody gets, because #XM comes instead: whether it would have been inexact shows all the same. */
const undelivered = (env: Environment, sign: number, c: Cut): Fp => {
  noteInexact(env, c);
  return zero(sign);
};

/** The x87's answer to overflow or underflow that nobody masked: the exponent comes back into range. */
const wrapped = (env: Environment, format: Format, sign: number, c: Cut, exponent: number, by: number): Fp => {
  noteInexact(env, c);
  const x = finite(sign, c.value, exponent + by);
  if (leading(x) >= format.lowest && leading(x) <= format.highest) return x;
  // FSCALE alone goes that far.
  env.flags |= INEXACT;
  env.up = leading(x) > format.highest;
  return env.up ? infinity(sign) : zero(sign);
};

/**
 * The number of `format` for (-1)^sign * magnitude * 2^exponent, magnitude above zero. A magnitude with a sticky last bit needs two bits
 * more than the format. Raises overflow, underflow and inexact; tiny is judged after rounding.
 */
export const round = (env: Environment, format: Format, sign: number, magnitude: bigint, exponent: number): Fp => {
  const length = bitLength(magnitude);
  const shift = length - format.precision;
  const c = cut(env.rounding, sign, magnitude, shift);
  const lsb = exponent + shift;
  const top = lsb + bitLength(c.value) - 1;
  const wraps = env.x87 && format.highest === EXTENDED.highest;
  if (top > format.highest) {
    if ((env.masks & OVERFLOW) !== 0) return overflowed(env, format, sign);
    env.flags |= OVERFLOW;
    if (!wraps) return undelivered(env, sign, c);
    return wrapped(env, format, sign, c, lsb, -WRAP);
  }
  if (top < format.lowest) {
    if ((env.masks & UNDERFLOW) === 0) {
      env.flags |= UNDERFLOW;
      return wraps ? wrapped(env, format, sign, c, lsb, WRAP) : undelivered(env, sign, c);
    } else if (env.flushToZero) {
      env.flags |= UNDERFLOW | INEXACT;
      return zero(sign);
    }
    return tiny(env, format, sign, magnitude, exponent);
  }
  noteInexact(env, c);
  return finite(sign, c.value, lsb);
};

/** A result below the normal numbers: fewer bits remain. */
const tiny = (env: Environment, format: Format, sign: number, magnitude: bigint, exponent: number): Fp => {
  const lsb = format.lowest - format.precision + 1;
  const c = cut(env.rounding, sign, magnitude, lsb - exponent);
  noteInexact(env, c);
  if (c.inexact) env.flags |= UNDERFLOW;
  return c.value === 0n ? zero(sign) : finite(sign, c.value, lsb);
};

/** A finite number to another format. */
export const convert = (env: Environment, format: Format, x: Fp): Fp =>
  x.kind === FINITE ? round(env, format, x.sign, x.significand, x.exponent) : x;

/** What results of the x87 are rounded to: the exponents of 80 bits, the significant bits that precision control says. */
const CONTROLLED: Readonly<Record<number, Format>> = {
  24: { ...EXTENDED, precision: BINARY32.precision },
  53: { ...EXTENDED, precision: BINARY64.precision },
  64: EXTENDED,
};
export const controlled = (env: Environment): Format => CONTROLLED[env.precision];

/** Nearest integer of a finite number under the rounding mode, as a magnitude. */
export const toMagnitude = (rounding: number, x: Fp): Cut => {
  if (x.kind !== FINITE) return { value: 0n, inexact: false, up: false };
  // Below a quarter, more places change nothing.
  const shift = -x.exponent;
  return shift > 70 ? cut(rounding, x.sign, INTEGER_BIT | 1n, 70) : cut(rounding, x.sign, x.significand, shift);
};
