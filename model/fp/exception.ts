/** The six floating-point exceptions and the four directions of rounding, numbered as control and status words have them. */

/** Invalid operation, denormal operand, zero divide, overflow, underflow, precision. */
export const IE = 1;
export const DE = 2;
export const ZE = 4;
export const OE = 8;
export const UE = 16;
export const PE = 32;

export const ALL_EXCEPTIONS = 0x3f;

/** To the nearest (even when half-way), towards −∞, towards +∞, towards zero: the encoding of RC everywhere. */
export const NEAREST = 0;
export const DOWN = 1;
export const UP = 2;
export const TRUNCATE = 3;
export type Rounding = 0 | 1 | 2 | 3;
