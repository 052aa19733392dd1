/** A floating-point datum taken apart, the same for all three formats. */

export const ZERO = 0;
export const FINITE = 1;
export const INFINITE = 2;
export const NAN = 3;
/** 80-bit encodings that no processor since the 387 takes: unnormals, pseudo-infinities, pseudo-NaNs. */
export const UNSUPPORTED = 4;
export type Kind = typeof ZERO | typeof FINITE | typeof INFINITE | typeof NAN | typeof UNSUPPORTED;

/** The integer bit of a significand, and the bit that makes a NaN quiet. */
export const INTEGER_BIT = 1n << 63n;
export const QUIET_BIT = 1n << 62n;

export class Fp {
  readonly kind: Kind;
  readonly sign: number;
  /** A finite number is `significand` times two to this. */
  readonly exponent: number;
  /** 64 bits, the integer bit set, of finite numbers and NaNs (whose payload stands at the top, as in the 80-bit format). */
  readonly significand: bigint;
  /** It was denormal (or pseudo-denormal) in its format. */
  readonly denormal: boolean;

  constructor(kind: Kind, sign: number, exponent: number, significand: bigint, denormal: boolean) {
    this.kind = kind;
    this.sign = sign;
    this.exponent = exponent;
    this.significand = significand;
    this.denormal = denormal;
  }
}

export const zero = (sign: number): Fp => new Fp(ZERO, sign, 0, 0n, false);
export const infinity = (sign: number): Fp => new Fp(INFINITE, sign, 0, INTEGER_BIT, false);
/** The real indefinite: what an invalid operation gives. */
export const INDEFINITE: Fp = new Fp(NAN, 1, 0, INTEGER_BIT | QUIET_BIT, false);

/** Length of a positive integer in bits. */
export const bitLength = (value: bigint): number => {
  let rest = value;
  let bits = 0;
  while (rest > 0xffffffffffffn) {
    rest >>= 48n;
    bits += 48;
  }
  const low = Number(rest);
  return bits + (low > 0xffffffff ? 64 - Math.clz32(low / 0x1_0000_0000) : 32 - Math.clz32(low));
};

/** The number `significand` * 2^`exponent` for a positive significand of at most 64 bits. */
export const finite = (sign: number, significand: bigint, exponent: number, denormal = false): Fp => {
  const shift = 64 - bitLength(significand);
  return new Fp(FINITE, sign, exponent - shift, significand << BigInt(shift), denormal);
};

/** The same datum with the other sign. */
export const negated = (x: Fp): Fp => new Fp(x.kind, x.sign ^ 1, x.exponent, x.significand, x.denormal);
export const withSign = (x: Fp, sign: number): Fp => (x.sign === sign ? x : negated(x));

export const isSignaling = (x: Fp): boolean => x.kind === NAN && (x.significand & QUIET_BIT) === 0n;
export const quiet = (x: Fp): Fp => (isSignaling(x) ? new Fp(NAN, x.sign, 0, x.significand | QUIET_BIT, false) : x);

/** Exponent of the leading bit. */
export const leading = (x: Fp): number => x.exponent + 63;
