/**
 * What Xen knows about each machine frame: owner, references, page type. A persistent tree of small plain arrays; equal frames
 * are mostly one shared object, and each leaf caches its share of the digest.
 */
import { mixFirst, mixSecond, packFrame } from '#spec/digest.ts';
import type { FrameObservation, FrameType } from '#spec/observation.ts';

/**
 * A page table that stopped half way: the entries below `entries` hold what they refer to. `nested`: entry number `entries` is
 * for a table in the same state, and holds a reference to it.
 */
export type PartialTable = { readonly entries: number; readonly nested: boolean };
/** All entries of a table. */
export const WHOLE: PartialTable = { entries: 512, nested: false };

export type Frame = {
  /** Owning domain; DOMID.XEN and DOMID.IO for what Xen shares read-only and for device memory; null = free, or Xen's own. */
  readonly owner: number | null;
  readonly refs: number;
  /** Meaningful while typeRefs > 0. Kept when the count drops to 0, as Xen does. */
  readonly type: FrameType;
  readonly typeRefs: number;
  readonly pinned: boolean;
  /** PGC_allocated: the owner's own reference, which dies when the page is given back. */
  readonly allocated: boolean;
  /** Contents were checked for this type. */
  readonly validated: boolean;
  /** Linear page tables: above 0, entries here for other tables of this level; below 0, such entries elsewhere for this one. */
  readonly linear: number;
  /** Validation, or its end, stopped half way: one reference stands for that state. */
  readonly partial: PartialTable | null;
  /** It is the L2 of a 32-bit domain's last gigabyte, which has Xen's slots; absent: it is none. */
  readonly paeXen?: true;
  /** Time, in flushes (tlb.ts), at which its last use ended, or at which a domain lost it; 0: before all flushes. */
  readonly usedUntil: number;
};

/** A frame of which there is nothing to know. */
export const FREE_FRAME: Frame = {
  owner: null,
  refs: 0,
  type: 'none',
  typeRefs: 0,
  pinned: false,
  allocated: false,
  validated: false,
  linear: 0,
  partial: null,
  usedUntil: 0,
};
/** A frame that somebody owns, by the one reference of its allocation; never used yet. */
export const FRESH_FRAME: Frame = { ...FREE_FRAME, refs: 1, allocated: true };

/** Frames of a leaf, and leaves of a middle, as powers of two: a change copies one of each, so they are small. */
const LEAF_BITS = 5;
const MIDDLE_BITS = 5;
const LEAF = 1 << LEAF_BITS;
const MIDDLE = 1 << MIDDLE_BITS;
const SPAN = LEAF * MIDDLE;

type Sums = readonly [number, number];

class Leaf {
  readonly base: number;
  readonly frames: readonly Frame[];
  /** The sums, once somebody asked; never while its table is open. */
  known: Sums | null = null;
  /** How many frames nobody has, once somebody asked; −1 before. */
  knownFree = -1;
  constructor(base: number, frames: readonly Frame[]) {
    this.base = base;
    this.frames = frames;
  }
  get free(): number {
    if (this.knownFree < 0) this.knownFree = this.frames.reduce((sum, { owner }) => (owner === null ? sum + 1 : sum), 0);
    return this.knownFree;
  }
  /** Both digest sums over this leaf's frames. */
  get sums(): Sums {
    if (this.known) return this.known;
    let first = 0;
    let second = 0;
    for (let i = 0; i < LEAF; i++) {
      const seen = observeFrame(this.base + i, this.frames[i]);
      if (!seen) continue;
      const [lo0, hi0, lo1, hi1] = packFrame(seen);
      first = (first + mixFirst(seen.mfn, 0, lo0, hi0) + mixFirst(seen.mfn, 1, lo1, hi1)) | 0;
      second = (second + mixSecond(seen.mfn, 0, lo0, hi0) + mixSecond(seen.mfn, 1, lo1, hi1)) | 0;
    }
    this.known = [first, second];
    return this.known;
  }
}

class Middle {
  readonly leaves: readonly Leaf[];
  known: Sums | null = null;
  constructor(leaves: readonly Leaf[]) {
    this.leaves = leaves;
  }
  get sums(): Sums {
    this.known ??= added(this.leaves);
    return this.known;
  }
}

const added = (parts: readonly { readonly sums: Sums }[]): Sums => {
  let first = 0;
  let second = 0;
  for (const { sums } of parts) {
    first = (first + sums[0]) | 0;
    second = (second + sums[1]) | 0;
  }
  return [first, second];
};

/** `open`: the leaves that were made since the table was opened, which changes write over; null in a table that never changes. */
export type FrameTable = { readonly size: number; readonly middles: readonly Middle[]; readonly open: Set<Leaf> | null };

/**
 * The table for one long piece of work that changes many frames one after another and looks back at no earlier state. Changes write
 * over what the work itself has made; the table that was opened stays as it is. It ends with `closedTable`.
 */
export const openTable = ({ size, middles }: FrameTable): FrameTable => ({ size, middles: middles.slice(), open: new Set() });

/** The table as the work has left it. */
export const closedTable = ({ size, middles }: FrameTable): FrameTable => ({ size, middles, open: null });

const FIRST_DOMID_OF_XEN = 0x7ff0;

/** The frame as an observer sees it; null when it is free or Xen's own (those are no one's business). */
export const observeFrame = (mfn: number, frame: Frame): FrameObservation | null =>
  frame.owner === null || frame.owner >= FIRST_DOMID_OF_XEN
    ? null
    : {
        mfn,
        owner: frame.owner,
        refs: frame.refs,
        type: frame.typeRefs === 0 ? 'none' : frame.type,
        type_refs: frame.typeRefs,
        pinned: frame.pinned,
        ...(!frame.allocated && { allocated: false as const }),
        partial: frame.partial,
      };

/** A table of `size` free frames. */
export const emptyFrameTable = (size: number): FrameTable => {
  const free: readonly Frame[] = new Array(LEAF).fill(FREE_FRAME);
  const middles = Array.from(
    { length: Math.ceil(size / SPAN) },
    (_, m) => new Middle(Array.from({ length: MIDDLE }, (_, l) => new Leaf(m * SPAN + l * LEAF, free))),
  );
  return { size, middles, open: null };
};

/** The frame's state; `undefined` when the machine has no such frame. */
export const frameAt = ({ size, middles }: FrameTable, mfn: number): Frame | undefined =>
  mfn >= 0 && mfn < size
    ? middles[mfn >> (LEAF_BITS + MIDDLE_BITS)].leaves[(mfn >> LEAF_BITS) & (MIDDLE - 1)].frames[mfn & (LEAF - 1)]
    : undefined;

const leafAt = ({ middles }: FrameTable, mfn: number): Leaf =>
  middles[mfn >> (LEAF_BITS + MIDDLE_BITS)].leaves[(mfn >> LEAF_BITS) & (MIDDLE - 1)];

/** The lowest run of `count` frames that nobody has, `count` a power of two and the run aligned to it, in [from, end); null: none. */
export const freeRunIn = (table: FrameTable, from: number, end: number, count: number): number | null => {
  for (let first = Math.ceil(from / count) * count; first + count <= end; ) {
    const leaf = leafAt(table, first);
    if (leaf.free < Math.min(count, LEAF)) first = count < LEAF ? leaf.base + LEAF : first + count;
    else if (isFreeRun(table, first, count)) return first;
    else first += count;
  }
  return null;
};

const isFreeRun = (table: FrameTable, first: number, count: number): boolean => {
  for (let mfn = first; mfn < first + count; mfn++) {
    const leaf = leafAt(table, mfn);
    if (leaf.free === LEAF) mfn = leaf.base + LEAF - 1;
    else if (leaf.frames[mfn & (LEAF - 1)].owner !== null) return false;
  }
  return true;
};

/** Replace one frame's state. */
export const withFrame = (table: FrameTable, mfn: number, frame: Frame): FrameTable => {
  const m = mfn >> (LEAF_BITS + MIDDLE_BITS);
  const l = (mfn >> LEAF_BITS) & (MIDDLE - 1);
  const leaf = table.middles[m].leaves[l];
  if (table.open?.has(leaf)) {
    (leaf.frames as Frame[])[mfn & (LEAF - 1)] = frame;
    leaf.knownFree = -1;
    return table;
  }
  const frames = leaf.frames.slice();
  frames[mfn & (LEAF - 1)] = frame;
  const leaves = table.middles[m].leaves.slice();
  leaves[l] = new Leaf(leaf.base, frames);
  table.open?.add(leaves[l]);
  const middles = table.middles.slice();
  middles[m] = new Middle(leaves);
  return { size: table.size, middles, open: table.open };
};

/** Give the run of frames [first, first + count) one state. */
export const withFrames = (table: FrameTable, first: number, count: number, frame: Frame): FrameTable => {
  const end = first + count;
  const changed = (leaf: Leaf): Leaf =>
    end <= leaf.base || first >= leaf.base + LEAF
      ? leaf
      : new Leaf(
          leaf.base,
          leaf.frames.map((old, i) => (leaf.base + i >= first && leaf.base + i < end ? frame : old)),
        );
  const middles = table.middles.slice();
  for (let m = first >> (LEAF_BITS + MIDDLE_BITS); m * SPAN < end; m++) middles[m] = new Middle(middles[m].leaves.map(changed));
  return { size: table.size, middles, open: table.open };
};

/** Both digest sums over the table (spec/digest.ts). */
export const frameSums = ({ middles }: FrameTable): Sums => added(middles);

/** Every frame that belongs to a domain, ascending. */
export function* framesOf(table: FrameTable): Iterable<FrameObservation> {
  for (let mfn = 0; mfn < table.size; mfn++) {
    const seen = observeFrame(mfn, frameAt(table, mfn)!);
    if (seen) yield seen;
  }
}
