/**
 * Rights of a segment register's hidden part: bits 8 to 15 and 20 to 23 of the descriptor's upper half, shifted down by 8 (so the
 * second group stands at 12), and USABLE above them.
 */
export const ACCESSED = 1;
/** Data: may be written. Code: may be read. */
export const WRITABLE = 2;
export const READABLE = 2;
/** Data: the limit is the lower end. Code: conforming. */
export const EXPAND_DOWN = 4;
export const CONFORMING = 4;
export const CODE = 8;
/** Not a system descriptor. */
export const ORDINARY = 0x10;
export const PRESENT = 0x80;
export const LONG = 0x2000;
/** D or B: 32 bits. */
export const BIG = 0x4000;
export const USABLE = 0x10000;

export const dpl = (rights: number): number => (rights >> 5) & 3;

/** What ring 3 of 64-bit code has in CS and SS. */
export const RING3_CODE64 = USABLE | LONG | PRESENT | 0x60 | ORDINARY | CODE | READABLE | ACCESSED;
export const RING3_CODE32 = USABLE | BIG | PRESENT | 0x60 | ORDINARY | CODE | READABLE | ACCESSED;
export const RING3_DATA = USABLE | BIG | PRESENT | 0x60 | ORDINARY | WRITABLE | ACCESSED;
