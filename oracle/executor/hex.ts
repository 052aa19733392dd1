/** The spelling of 64-bit values in events and observations. */

/** `0x` and lower-case digits of an unsigned bigint. */
export const hexOf = (value: bigint): string => `0x${value.toString(16)}`;
