/** The descriptor tables of a PV guest as its processor sees them. Chapter: spec/chapters/descriptor.md, "What the processor reads". */
import { DESCRIPTORS_PER_PAGE, GDT_LIMIT, XEN_DESCRIPTORS, XEN_DESCRIPTORS_PV32, XEN_GDT_FIRST } from '#spec/abi/descriptor.ts';
import { readWord } from '../../memory/memory.ts';
import { type Word, word, ZERO } from '../../word/word.ts';
import { TableMissing } from './fault.ts';
import type { Running } from './running.ts';
import type { Descriptor } from './system/descriptor.ts';

export type GuestTables = {
  /** The global table: entries that the guest asked for, and the frames behind them, one for 512 entries. */
  readonly gdtEntries: number;
  readonly gdtFrames: readonly number[];
  /** The local table: a guest address, and how many entries count. */
  readonly ldtBase: Word;
  readonly ldtEntries: number;
  /** Frames that Xen has mapped so far, by page of the local table. */
  readonly ldtFrames: readonly (number | undefined)[];
  /** Of a 32-bit domain, whose page of Xen's descriptors is another; absent: of a 64-bit one. */
  readonly pv32?: true;
};

export const NO_TABLES: GuestTables = { gdtEntries: 0, gdtFrames: [], ldtBase: ZERO, ldtEntries: 0, ldtFrames: [] };
/** compat/segments-xen: the same of a 32-bit domain. */
export const NO_TABLES_PV32: GuestTables = { ...NO_TABLES, pv32: true };

const LOCAL = 4;
const PAGE_BYTES = DESCRIPTORS_PER_PAGE * 8;

/** The frame that holds a descriptor; null: no frame of the guest's does. Throws TableMissing. */
const frameOf = ({ gdtFrames, ldtFrames }: GuestTables, selector: number): number | null => {
  const page = Math.floor((selector & 0xfff8) / PAGE_BYTES);
  if ((selector & LOCAL) === 0) return gdtFrames[page] ?? null;
  const frame = ldtFrames[page];
  if (frame === undefined) throw new TableMissing(selector & 0xfff8);
  return frame;
};

/** Xen's own page; whatever else no frame is behind reads as zeros. */
const xenDescriptor = (selector: number, pv32: boolean): Descriptor => {
  const rows = pv32 ? XEN_DESCRIPTORS_PV32 : XEN_DESCRIPTORS;
  const row = selector >= XEN_GDT_FIRST ? rows.find(([known]) => known === (selector & 0xfff8)) : undefined;
  return { at: ZERO, frame: null, lo: row?.[2] ?? 0, hi: row?.[1] ?? 0 };
};

/**
 * The descriptor of a selector; null when it lies behind the table's limit. descriptor/xen_page: the global table ends behind Xen's
 * page whatever the guest has set; the local one behind its last entry.
 */
export const guestDescriptor = ({ system: { tables = NO_TABLES }, memory }: Running, selector: number): Descriptor | null => {
  const local = (selector & LOCAL) !== 0;
  if (local ? selector >> 3 >= tables.ldtEntries : (selector | 7) > GDT_LIMIT) return null;
  const frame = frameOf(tables, selector);
  if (frame === null) return xenDescriptor(selector, tables.pv32 === true);
  const offset = selector & (PAGE_BYTES - 8);
  const { hi, lo } = readWord(memory, frame, offset / 8);
  return { at: word(0, offset), frame, lo, hi };
};
