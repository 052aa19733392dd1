/** Packed decimals of the x87: 18 digits and a sign in ten bytes. Intel SDM volume 1, 4.7. */
import type { Environment } from './environment.ts';
import { INEXACT } from './exception.ts';
import { type Fp, finite, INFINITE, zero } from './number.ts';
import { toMagnitude } from './round.ts';

const LIMIT = 10n ** 18n;

/** Ten bytes as an integer to the number. Nibbles above nine weigh what they are. */
export const fromDecimal = (packed: bigint): Fp => {
  const sign = Number((packed >> 79n) & 1n);
  let value = 0n;
  for (let digit = 17n; digit >= 0n; digit--) value = value * 10n + ((packed >> (4n * digit)) & 15n);
  return value === 0n ? zero(sign) : finite(sign, value, 0);
};

/** The packed decimal indefinite. */
export const DECIMAL_INDEFINITE = 0xffffc000000000000000n;

/** The nearest integer in ten bytes. */
export const toDecimal = (env: Environment, x: Fp): bigint => {
  env.up = false;
  const { value, inexact, up } =
    x.kind >= INFINITE || x.exponent > 0 ? { value: LIMIT, inexact: false, up: false } : toMagnitude(env.rounding, x);
  if (value >= LIMIT) {
    env.invalid();
    return DECIMAL_INDEFINITE;
  }
  env.up = up;
  if (inexact) env.flags |= INEXACT;
  return (BigInt(x.sign) << 79n) | BigInt(`0x${value}`);
};
