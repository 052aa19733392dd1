/** Page tables as they lie in memory: which frames are tables, and the entries of them that count. Chapter: spec/chapters/page_type.md. */
import type { FrameObservation } from '../observation.ts';
import type { View } from './view.ts';

const ENTRIES = 512;
/** Slots of a level 4 table that are Xen's. */
const XEN_SLOTS = { first: 256, end: 272 } as const;
const PRESENT = 1n;
const WRITABLE = 2n;
const FRAME_MASK = 0x000f_ffff_ffff_f000n;

export type Level = 1 | 2 | 3 | 4;
export type Entry = {
  readonly table: number;
  readonly level: Level;
  readonly index: number;
  readonly mfn: number;
  readonly writable: boolean;
};

const LEVELS: Readonly<Record<string, Level>> = { l1: 1, l2: 2, l3: 3, l4: 4 };

/** The level of the page table that a frame is now; undefined when it is none. */
export const levelOf = ({ type, type_refs }: FrameObservation): Level | undefined => (type_refs > 0 ? LEVELS[type] : undefined);

/** Entry `index` of a table, if it is present. */
export const entryOf = (view: View, table: number, level: Level, index: number): Entry | null => {
  const page = view.page(table);
  if ((page.getUint8(index * 8) & 1) === 0) return null;
  const pte = page.getBigUint64(index * 8, true);
  return (pte & PRESENT) === 0n ? null : { table, level, index, mfn: Number((pte & FRAME_MASK) >> 12n), writable: (pte & WRITABLE) !== 0n };
};

/** The present entries of a table below slot `end`, but for those of Xen's slots. */
export const presentEntries = (view: View, table: number, level: Level, end: number): readonly Entry[] => {
  const found: Entry[] = [];
  for (let index = 0; index < end; index++) {
    if (level === 4 && index >= XEN_SLOTS.first && index < XEN_SLOTS.end) continue;
    const entry = entryOf(view, table, level, index);
    if (entry) found.push(entry);
  }
  return found;
};

/** The present entries of a table that Xen has validated: all of them, or those below the place where it stopped half way. */
export const entries = (view: View, frame: FrameObservation, level: Level): readonly Entry[] => {
  const end = frame.partial === null ? ENTRIES : frame.partial.entries;
  return view.entries?.(frame, level, end) ?? presentEntries(view, frame.mfn, level, end);
};

export type Table = { readonly frame: FrameObservation; readonly level: Level };

/** Several properties, and later looks, ask for the tables of the same frames. */
const known = new WeakMap<View['frames'], readonly Table[]>();

/** Every page table of the machine. */
export const tables = ({ frames }: View): readonly Table[] => {
  const before = known.get(frames);
  if (before) return before;
  const found: Table[] = [];
  for (const frame of frames.values()) {
    const level = levelOf(frame);
    if (level !== undefined) found.push({ frame, level });
  }
  known.set(frames, found);
  return found;
};
