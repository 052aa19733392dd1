/** Segment descriptors: 8 bytes of the global or local table, taken apart. Source: SDM volume 3, 3.4.5; APM volume 2, 4.7 and 4.8. */
import { type Word, word } from '../../../word/word.ts';
import { type Hidden, RIGHTS } from '../state.ts';

export type Descriptor = {
  /** Linear address; with `frame` the offset in that frame, and null is a page of Xen's, where nothing changes. */
  readonly at: Word;
  readonly frame?: number | null;
  readonly lo: number;
  readonly hi: number;
};

/** Types of system descriptors (S = 0). In long mode 9 and 11 are 64-bit task states, 12 is a 64-bit call gate. */
export const SYSTEM_TYPE = {
  TSS16: 1,
  LDT: 2,
  TSS16_BUSY: 3,
  CALL16: 4,
  TASK_GATE: 5,
  INTERRUPT16: 6,
  TRAP16: 7,
  TSS32: 9,
  TSS32_BUSY: 11,
  CALL32: 12,
  INTERRUPT32: 14,
  TRAP32: 15,
} as const;

const GRANULARITY = 0x8000;

/** Bits 8 to 15 and 20 to 23 of the upper half, shifted down by 8. */
export const rightsOf = ({ hi }: Descriptor): number => (hi >>> 8) & 0xf0ff;
export const dplOf = ({ hi }: Descriptor): number => (hi >>> 13) & 3;
export const isPresent = ({ hi }: Descriptor): boolean => (hi & (RIGHTS.P << 8)) !== 0;
export const isSystem = ({ hi }: Descriptor): boolean => (hi & (RIGHTS.S << 8)) === 0;
export const typeOf = ({ hi }: Descriptor): number => (hi >>> 8) & RIGHTS.TYPE;
const hasType = (d: Descriptor, bits: number): boolean => !isSystem(d) && (typeOf(d) & bits) === bits;

export const isCode = (d: Descriptor): boolean => hasType(d, RIGHTS.CODE);
export const isConforming = (d: Descriptor): boolean => hasType(d, RIGHTS.CODE | 4);
export const isReadable = (d: Descriptor): boolean => !isSystem(d) && (!isCode(d) || hasType(d, RIGHTS.READABLE));
export const isWritableData = (d: Descriptor): boolean => !isSystem(d) && !isCode(d) && hasType(d, RIGHTS.WRITABLE);
export const isLongCode = (d: Descriptor): boolean => isCode(d) && (rightsOf(d) & RIGHTS.L) !== 0;
export const isBig = (d: Descriptor): boolean => (rightsOf(d) & RIGHTS.BIG) !== 0;

export const baseIn = ({ lo, hi }: Descriptor): Word => word(0, (hi & 0xff000000) | ((hi & 0xff) << 16) | (lo >>> 16));

/** The last offset inside: with granularity in units of 4 KiB. */
export const limitIn = (d: Descriptor): number => {
  const raw = (d.hi & 0xf0000) | (d.lo & 0xffff);
  return (rightsOf(d) & GRANULARITY) !== 0 ? ((raw << 12) | 0xfff) >>> 0 : raw;
};

/** The hidden part that loading this descriptor gives; the accessed bit is set. */
export const hiddenOf = (d: Descriptor): Hidden => ({
  base: baseIn(d),
  limit: limitIn(d),
  rights: rightsOf(d) | RIGHTS.ACCESSED,
  usable: true,
});

export { UNUSABLE } from '../state.ts';

/** A selector's requested privilege level. */
export const rplOf = (selector: number): number => selector & 3;
export const withRpl = (selector: number, rpl: number): number => (selector & ~3) | rpl;
/** The null selectors are 0 to 3. */
export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;
/** The error code of a fault that a selector caused: without its RPL. */
export const errorOf = (selector: number): number => selector & 0xfffc;
