/**
 * Where things lie in the CPU's register file, an Int32Array: each 64-bit value is two halves, low first. General registers come first
 * in the encoding's order, so register r is at 2r; views of 1 and 2 bytes on the same buffer give the narrow registers.
 */

/** Always zero: base of an address that has none. */
export const ZERO = 32;
/** Virtual address of the page that RIP is in: base of RIP-relative addresses. */
export const PAGE = 34;
export const FS_BASE = 36;
export const GS_BASE = 38;

/** Lazy arithmetic flags (flags.ts): what produced them, the first operand, the result, and flags kept as bits. */
export const KIND = 40;
export const BITS = 41;
export const FIRST = 42;
export const RESULT = 44;
/** RFLAGS without the six arithmetic flags and the fixed bit. */
export const SYSTEM = 46;

export const REGISTER_FILE = 48;
