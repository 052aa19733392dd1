/**
 * Where things lie in the CPU's register file, an Int32Array: each 64-bit value is two halves, low first. General registers come first
 * in the encoding's order, so register r is at 2r; views of 1 and 2 bytes on the same buffer give the narrow registers. The vector and
 * x87 registers stand at multiples of 16 bytes, so that views of any element type reach them.
 */

/** Always zero: base of an address that has none. */
export const ZERO = 32;
/** Linear address of the page that RIP is in: base of RIP-relative addresses. */
export const PAGE = 34;

/** Lazy arithmetic flags (flags.ts): what produced them, the first operand, the result, and flags kept as bits. */
export const KIND = 40;
export const BITS = 41;
export const FIRST = 42;
export const RESULT = 44;
/** RFLAGS without the six arithmetic flags and the fixed bit. */
export const SYSTEM = 46;

/**
 * Physical x87 registers 0 to 7, four places each: 64 bits of significand (which is the MMX register), then sign and exponent in the
 * low 16 bits of the third place.
 */
export const X87 = 48;
/** XMM0 to XMM15, four places each. */
export const XMM = 80;

/** Control word, status word (TOP in it), and the tag as FXSAVE abridges it: bit n is set when physical register n is not empty. */
export const X87_CONTROL = 144;
export const X87_STATUS = 145;
export const X87_TAG = 146;
export const MXCSR = 147;

/** Segment registers by the encoding's number, then LDTR and TR: base (two places each), limit in bytes, rights. */
export const SEGMENT_BASE = 148;
export const SEGMENT_LIMIT = 164;
export const SEGMENT_RIGHTS = 172;
export const CS_BASE = SEGMENT_BASE + 2;
export const CS_LIMIT = SEGMENT_LIMIT + 1;
export const FS_BASE = SEGMENT_BASE + 8;
export const GS_BASE = SEGMENT_BASE + 10;

export const GDTR_BASE = 180;
export const IDTR_BASE = 182;
export const GDTR_LIMIT = 184;
export const IDTR_LIMIT = 185;

/** CR0, CR4 and CR8 have no bits above 31. */
export const CR0 = 186;
export const CR4 = 187;
export const CR2 = 188;
export const CR3 = 190;
export const CR8 = 192;
/** EFER has no bits above 31 either. */
export const EFER = 193;
export const XCR0 = 194;
/** DR0 to DR7, two places each; 4 and 5 are not used. */
export const DEBUG = 196;
export const CPL = 212;

/** Two vectors that an instruction works with: a memory operand, and a source that its destination overlaps. */
export const OPERAND = 216;
export const SPARE = 220;

export const REGISTER_FILE = 224;
