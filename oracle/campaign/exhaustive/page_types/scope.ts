/** How small the machine is: frames of one domain, what their entries can say, and how a privileged domain may hold them too. */
import { entryAt, type Place, writeEntry } from '#model/hypercall/mm/guest_l1e.ts';
import type { Machine } from '#model/machine.ts';
import { putPageFromL1e } from '#model/page_type/l1_entry.ts';
import type { Level } from '#model/page_type/pte.ts';
import { entryFor, PTE, PTE_HIGH } from '#model/page_type/pte.ts';
import { type Word, ZERO } from '#model/word/word.ts';
import { bootSmall, sparePage } from '../machine.ts';
import type { Cell } from '../parts/words.ts';

export type PageTypeScope = {
  readonly frames: number;
  /** Entries of each frame, the first ones; all others are empty. */
  readonly entries: number;
  readonly levels: readonly Level[];
  /** Of each level, how often a frame is used at most by tables of its own level. */
  readonly linear: number;
  /** Entries may name a frame of another domain, too. */
  readonly stranger: boolean;
  /** Entries of domain 0's page tables for frames of the domain. */
  readonly foreign: number;
  /** Frames that differ in names alone are one. */
  readonly taken: boolean;
};

/** The domain whose frames they are, and the privileged one. */
export const OWNER = 1;
export const DOM0 = 0;

export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** What an entry says: nothing, or a frame by number (−1: another domain's) and whether it may be written. */
export type EntryValue = { readonly frame: number; readonly writable: boolean } | null;

export const STRANGER = -1;
/** As Xen leaves entries alone: for a page of the kernel, as Xen marks it. */
export const FLAGS = { low: PTE.P | PTE.US | PTE.A | PTE.D, high: PTE_HIGH.GUEST_KERNEL };

export const entryValues = ({ frames, stranger }: PageTypeScope): readonly EntryValue[] => [
  null,
  ...upTo(frames).flatMap((frame) => [true, false].map((writable) => ({ frame, writable }))),
  ...(stranger ? [{ frame: STRANGER, writable: false }] : []),
];

export type PageTypeTables = {
  readonly base: Machine;
  readonly mfns: readonly number[];
  readonly values: readonly EntryValue[];
  readonly words: readonly Word[];
  /** Domain 0's entries. */
  readonly foreign: readonly Place[];
  readonly cells: readonly Cell[];
};

/** Nobody maps the frames at first, and domain 0's entries are empty. */
export const pageTypeTables = (scope: PageTypeScope): PageTypeTables => {
  let machine = bootSmall([OWNER], 1);
  const spare = upTo(scope.frames).map((f) => sparePage(machine, OWNER, f));
  const foreign = upTo(scope.foreign).map((e) => sparePage(machine, DOM0, e).entry);
  for (const place of [...spare.map(({ entry }) => entry), ...foreign])
    machine = putPageFromL1e(writeEntry(machine, place, ZERO), entryAt(machine, place));
  const mfns = spare.map(({ mfn }) => mfn);
  const strangers = sparePage(machine, DOM0, scope.foreign).mfn;
  const values = entryValues(scope);
  const words = values.map((value) => {
    if (value === null) return ZERO;
    const mfn = value.frame === STRANGER ? strangers : mfns[value.frame]!;
    return entryFor(mfn, FLAGS.low | (value.writable ? PTE.RW : 0), FLAGS.high);
  });
  return {
    base: { ...machine, journal: { events: null, clauses: [], work: null } },
    mfns,
    values,
    words,
    foreign,
    cells: [
      ...mfns.flatMap((mfn, f) => upTo(scope.entries).map((e) => ({ name: `entry ${e} of frame ${f}`, mfn, index: e, values: words }))),
      ...foreign.map((place, e) => ({ name: `d${DOM0}'s entry ${e}`, ...place, values: scope.stranger ? words.slice(0, -1) : words })),
    ],
  };
};

/** Numbers of the slots: entries of frames, entries of domain 0, references and uses of frames. */
export const slotsOf = ({ frames, entries, foreign }: PageTypeScope) => {
  const others = frames * entries;
  const counts = others + foreign;
  return {
    count: counts + 2 * frames,
    entry: (frame: number, entry: number) => frame * entries + entry,
    foreign: (entry: number) => others + entry,
    refs: (frame: number) => counts + 2 * frame,
    use: (frame: number) => counts + 2 * frame + 1,
  };
};
