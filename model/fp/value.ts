/** What the bits of a floating-point format mean. Values are exact: nothing is rounded until a result is put into a format. */

/** 1 for negative. */
export type Sign = 0 | 1;

/**
 * (−1)^sign · significand · 2^exponent. With `sticky`, the magnitude is something strictly between this significand and the next:
 * how quotients, roots and transcendental results are told exactly enough to be rounded anywhere above their last bit.
 */
export type Finite = {
  readonly kind: 'finite';
  readonly sign: Sign;
  /** Above zero. */
  readonly significand: bigint;
  readonly exponent: number;
  readonly sticky: boolean;
  /** Read from an encoding with the lowest exponent field: what #D is about. */
  readonly denormal: boolean;
};
export type Zero = { readonly kind: 'zero'; readonly sign: Sign };
export type Infinite = { readonly kind: 'infinity'; readonly sign: Sign };
/** `payload` is the significand that the NaN has in the 80-bit format, integer bit and quiet bit included. */
export type Nan = { readonly kind: 'nan'; readonly sign: Sign; readonly quiet: boolean; readonly payload: bigint };
/** Encodings of the 80-bit format that mean nothing any more: unnormals, pseudo-infinities and pseudo-NaNs. */
export type Unsupported = { readonly kind: 'unsupported' };

/** A number or an infinity: what is left once NaNs and unsupported encodings have been dealt with. */
export type Numeric = Finite | Zero | Infinite;
export type Value = Numeric | Nan | Unsupported;

export const finite = (sign: Sign, significand: bigint, exponent: number, sticky = false): Finite => ({
  kind: 'finite',
  sign,
  significand,
  exponent,
  sticky,
  denormal: false,
});
export const zero = (sign: Sign): Zero => ({ kind: 'zero', sign });
export const infinity = (sign: Sign): Infinite => ({ kind: 'infinity', sign });

/** The NaN that an invalid operation gives when its exception is masked. */
export const INDEFINITE: Nan = { kind: 'nan', sign: 1, quiet: true, payload: 0xc000_0000_0000_0000n };

const QUIET_BIT = 1n << 62n;
/** The same NaN, quiet. */
export const quieted = (nan: Nan): Nan => (nan.quiet ? nan : { ...nan, quiet: true, payload: nan.payload | QUIET_BIT });

export const opposite = (sign: Sign): Sign => (sign === 0 ? 1 : 0);
export const negated = <V extends Numeric>(value: V): V => ({ ...value, sign: opposite(value.sign) });
export const magnitude = <V extends Numeric>(value: V): V => (value.sign === 0 ? value : { ...value, sign: 0 });

export const isDenormal = (value: Value): boolean => value.kind === 'finite' && value.denormal;

/** Binary digits of a positive integer. */
export const bitLength = (n: bigint): number => {
  const digits = n.toString(16);
  return 4 * digits.length - (Math.clz32(Number.parseInt(digits[0], 16)) - 28);
};

/** The power of two at or below the magnitude. */
export const topExponent = ({ significand, exponent }: Finite): number => bitLength(significand) + exponent - 1;

/** An integer as a value; zero is positive. */
export const fromInteger = (n: bigint): Zero | Finite => (n === 0n ? zero(0) : finite(n < 0n ? 1 : 0, n < 0n ? -n : n, 0));

/** n · 2^exponent; `zeroSign` is what a zero gets. */
export const scaled = (n: bigint, exponent: number, zeroSign: Sign): Zero | Finite =>
  n === 0n ? zero(zeroSign) : finite(n < 0n ? 1 : 0, n < 0n ? -n : n, exponent);

/** The signed significand when the exponent is lowered to `exponent`. Only for exact values. */
export const significandAt = (value: Zero | Finite, exponent: number): bigint => {
  if (value.kind === 'zero') return 0n;
  const shifted = value.significand << BigInt(value.exponent - exponent);
  return value.sign === 0 ? shifted : -shifted;
};
