/** The six numeric exceptions as the x87 status word, its control word (masks) and MXCSR number them. */
export const INVALID = 1;
export const DENORMAL = 2;
export const DIVIDE = 4;
export const OVERFLOW = 8;
export const UNDERFLOW = 16;
export const INEXACT = 32;

/** Rounding control, as both control registers number it. */
export const NEAREST = 0;
export const DOWN = 1;
export const UP = 2;
export const TO_ZERO = 3;
