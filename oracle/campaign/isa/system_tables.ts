/** Descriptor tables as Linux gives them to a program, for the engines: the GDT's entries that a selector may reach, and the LDT. */
import { descriptorOf, LDT_ENTRIES, SEGMENTS } from '../../image/instruction/segments.ts';

/** Where they lie: the first bytes of a page that ring 3 cannot reach. The LDT follows in the middle of the page. */
export const TABLES_AT = 0xfffffe0000000000n;
const LDT_OFFSET = 0x800;
export const LDT_AT = TABLES_AT + BigInt(LDT_OFFSET);

/** Linux's GDT has 16 entries. */
export const GDT_LIMIT = 16 * 8 - 1;
export const LDT_LIMIT = LDT_ENTRIES * 8 - 1;
export const LDT_SELECTOR = 0x50;
/** Present, DPL 0, type: LDT. */
export const LDT_RIGHTS = 0x82;

/** Linux's own descriptors: code of 32 and 64 bits, data. */
const KERNEL: readonly (readonly [index: number, descriptor: bigint])[] = [
  [1, 0x00cf9b000000ffffn],
  [2, 0x00af9b000000ffffn],
  [3, 0x00cf93000000ffffn],
];

/** The eight-byte words of the page. */
export const tableWords = (): readonly { readonly index: number; readonly word: bigint }[] => [
  ...KERNEL.map(([index, word]) => ({ index, word })),
  ...SEGMENTS.map((s) => ({ index: s.index + (s.gdt ? 0 : LDT_OFFSET / 8), word: descriptorOf(s) })),
];
