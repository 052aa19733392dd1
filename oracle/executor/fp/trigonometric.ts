/** FSIN, FCOS, FPTAN, FPATAN for operands that have a result, correctly rounded: spec/isa/x86/undefined.ts says that silicon may not be. */
import { integerRoot } from './arithmetic.ts';
import type { Environment } from './environment.ts';
import { DENORMAL } from './exception.ts';
import { EXTENDED } from './format.ts';
import { special2 } from './nan.ts';
import { FINITE, type Fp, finite, INFINITE, leading, ZERO, zero } from './number.ts';
import { round } from './round.ts';
import { cosine, pi, sineRatio, tangentRatio } from './series.ts';
import { type Approximation, settle } from './settle.ts';

/** Operands of this exponent and above are out of range: C2. */
export const TOO_LARGE = 63;
/** Below this exponent a function is its first term and a sticky bit. */
const TINY = -80;

/** Bits beyond those wanted that the distance from a multiple of pi/2 may cost. */
const CANCELLED = 160;

const fixed = (magnitude: bigint, exponent: number, bits: number): bigint => {
  const shift = exponent + bits;
  return shift >= 0 ? magnitude << BigInt(shift) : magnitude >> BigInt(-shift);
};

/** Pi as processors know it, in units of 2^-66. */
const PI = 0x3243f6a8885a308d3n << 2n;

type Reduced = {
  /** How many quarter turns were taken away, modulo four. */
  readonly quarter: number;
  readonly negative: boolean;
  /** |sin r| and cos r of the rest, each as an approximation. */
  readonly sine: Approximation;
  readonly cosine: bigint;
  readonly bits: number;
};

/** A positive number less the nearest multiple of pi/2. */
const reduce = (x: Fp, wanted: number): Reduced => {
  const bits = wanted + CANCELLED;
  const half = fixed(PI, -66, bits) >> 1n;
  const whole = fixed(x.significand, x.exponent, bits);
  const turns = (whole + (half >> 1n)) / half;
  const rest = whole - turns * half;
  const size = rest < 0n ? -rest : rest;
  const square = (size * size) >> BigInt(bits);
  const ratio = sineRatio(square, bits);
  const sine =
    turns === 0n ? { magnitude: x.significand * ratio, exponent: x.exponent - bits } : { magnitude: size * ratio, exponent: -2 * bits };
  return { quarter: Number(turns & 3n), negative: rest < 0n, sine, cosine: cosine(square, bits), bits };
};

/** A number of exponent below TINY, a little more or less than it is. */
const nearly = (env: Environment, x: Fp, by: bigint): Fp => round(env, EXTENDED, x.sign, (x.significand << 70n) + by, x.exponent - 70);

/** Sign and sides of sine and cosine depend on the quarter; `shift` 0 for sine, 1 for cosine. */
const wave = (env: Environment, x: Fp, shift: number): Fp => {
  const { quarter, negative } = reduce(x, 64);
  const at = (quarter + shift) & 3;
  const ofSine = (at & 1) === 0;
  const turned = (at & 2) !== 0;
  const odd = shift === 0 ? x.sign === 1 : false;
  const sign = Number((turned !== (ofSine && negative)) !== odd);
  return settle(env, sign, (bits) => {
    const r = reduce(x, bits);
    return ofSine ? r.sine : { magnitude: r.cosine, exponent: -r.bits };
  });
};

export const sine = (env: Environment, x: Fp): Fp => {
  if (x.kind === ZERO) return x;
  return leading(x) < TINY ? nearly(env, x, -1n) : wave(env, x, 0);
};

export const cosineOf = (env: Environment, x: Fp): Fp => {
  if (x.kind === ZERO || leading(x) < TINY) {
    const one = finite(0, 1n, 0);
    return x.kind === ZERO ? one : nearly(env, one, -1n);
  }
  return wave(env, x, 1);
};

export const tangent = (env: Environment, x: Fp): Fp => {
  if (x.kind === ZERO) return x;
  if (leading(x) < TINY) return nearly(env, x, 1n);
  const { quarter, negative } = reduce(x, 64);
  const inverse = (quarter & 1) === 1;
  const sign = x.sign ^ Number(negative) ^ Number(inverse);
  return settle(env, sign, (bits) => {
    const r = reduce(x, bits);
    const { magnitude, exponent } = r.sine;
    const up = BigInt(2 * r.bits);
    if (!inverse) return { magnitude: (magnitude << up) / r.cosine, exponent: exponent - r.bits };
    return { magnitude: (r.cosine << (2n * up)) / magnitude, exponent: -5 * r.bits - exponent };
  });
};

/** The multiple of pi/4 with the sign. */
const quarters = (env: Environment, sign: number, count: bigint): Fp =>
  settle(env, sign, (bits) => ({ magnitude: count * pi(bits), exponent: -bits - 2 }));

/** Angle of the point (x, y). */
export const arcTangent = (env: Environment, y: Fp, x: Fp): Fp => {
  env.up = false;
  const special = special2(env, x, y);
  if (special !== null) return special;
  if (y.denormal || x.denormal) env.flags |= DENORMAL;
  if (y.kind === INFINITE) return quarters(env, y.sign, x.kind !== INFINITE ? 2n : x.sign === 0 ? 1n : 3n);
  if (y.kind === ZERO || x.kind === INFINITE) return x.sign === 0 ? zero(y.sign) : quarters(env, y.sign, 4n);
  if (x.kind === ZERO) return quarters(env, y.sign, 2n);
  const distance = leading(y) - leading(x);
  if (x.sign === 0 && distance < TINY) return nearlyQuotient(env, y, x);
  if (distance === 0 && y.significand === x.significand) return quarters(env, y.sign, x.sign === 0 ? 1n : 3n);
  return settle(env, y.sign, (bits) => angle(y, x, bits));
};

const nearlyQuotient = (env: Environment, y: Fp, x: Fp): Fp => {
  const dividend = y.significand << 140n;
  const quotient = dividend / x.significand;
  const exact = quotient * x.significand === dividend;
  return round(env, EXTENDED, y.sign, 2n * quotient + (exact ? -1n : 1n), y.exponent - x.exponent - 141);
};

/** The same by magnitudes: of the quotient that is at most one, then seen from the quadrant. */
const angle = (y: Fp, x: Fp, wanted: number): Approximation => {
  const bits = wanted + 32;
  const steep = leading(y) > leading(x) || (leading(y) === leading(x) && y.significand > x.significand);
  const [over, under] = steep ? [x, y] : [y, x];
  const shift = bits + 64;
  const quotient = { magnitude: (over.significand << BigInt(shift)) / under.significand, exponent: over.exponent - under.exponent - shift };
  const small = smallAngle(quotient, bits);
  if (!steep && x.sign === 0) return small;
  const part = fixed(small.magnitude, small.exponent, bits);
  const half = pi(bits) >> 1n;
  if (!steep) return { magnitude: 2n * half - part, exponent: -bits };
  return { magnitude: x.sign === 0 ? half - part : half + part, exponent: -bits };
};

/** Arcus tangens of at most one: halved three times, then the series. */
const smallAngle = (t: Approximation, bits: number): Approximation => {
  const unit = 1n << BigInt(bits);
  let s = fixed(t.magnitude, t.exponent, bits);
  // tan(a/2) is tan(a) / (1 + sqrt(1 + tan(a)^2)): the divisors are kept, so that small angles stay exact relatively.
  let divisor = unit;
  for (let n = 0; n < 3; n++) {
    const by = unit + integerRoot((unit << BigInt(bits)) + s * s);
    s = (s << BigInt(bits)) / by;
    divisor = (divisor * by) >> BigInt(bits);
  }
  const ratio = tangentRatio((s * s) >> BigInt(bits), bits);
  return { magnitude: (t.magnitude * ((ratio << BigInt(bits)) / divisor)) << 3n, exponent: t.exponent - bits };
};

/** Whether FSIN and its sisters can take a finite operand. */
export const inRange = (x: Fp): boolean => x.kind !== FINITE || leading(x) < TOO_LARGE;
