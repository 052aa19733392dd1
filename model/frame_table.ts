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
  readonly linear?: number;
  /** Validation, or its end, stopped half way: one reference stands for that state. */
  readonly partial?: PartialTable | null;
  /** Time, in flushes (tlb.ts), at which its last use ended, or at which a domain lost it; absent: before all flushes. */
  readonly usedUntil?: number;
};

export const FREE_FRAME: Frame = { owner: null, refs: 0, type: 'none', typeRefs: 0, pinned: false, allocated: false, validated: false };

const LEAF = 128;
const MIDDLE = 128;

class Leaf {
  readonly base: number;
  readonly frames: readonly Frame[];
  #sums: readonly [number, number] | null = null;
  constructor(base: number, frames: readonly Frame[]) {
    this.base = base;
    this.frames = frames;
  }
  /** Both digest sums over this leaf's frames. */
  get sums(): readonly [number, number] {
    if (this.#sums) return this.#sums;
    let first = 0;
    let second = 0;
    for (let i = 0; i < LEAF; i++) {
      const seen = observeFrame(this.base + i, this.frames[i]);
      if (!seen) continue;
      const [lo0, hi0, lo1, hi1] = packFrame(seen);
      first = (first + mixFirst(seen.mfn, 0, lo0, hi0) + mixFirst(seen.mfn, 1, lo1, hi1)) | 0;
      second = (second + mixSecond(seen.mfn, 0, lo0, hi0) + mixSecond(seen.mfn, 1, lo1, hi1)) | 0;
    }
    this.#sums = [first, second];
    return this.#sums;
  }
}

export type FrameTable = { readonly size: number; readonly middles: readonly (readonly Leaf[])[] };

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
        partial: frame.partial ?? null,
      };

/** A table of `size` free frames. */
export const emptyFrameTable = (size: number): FrameTable => {
  const free: readonly Frame[] = new Array(LEAF).fill(FREE_FRAME);
  const span = LEAF * MIDDLE;
  const middles = Array.from({ length: Math.ceil(size / span) }, (_, m) =>
    Array.from({ length: MIDDLE }, (_, l) => new Leaf(m * span + l * LEAF, free)),
  );
  return { size, middles };
};

/** The frame's state; `undefined` when the machine has no such frame. */
export const frameAt = (table: FrameTable, mfn: number): Frame | undefined =>
  mfn >= 0 && mfn < table.size
    ? table.middles[Math.floor(mfn / (LEAF * MIDDLE))][Math.floor(mfn / LEAF) % MIDDLE].frames[mfn % LEAF]
    : undefined;

/** Replace one frame's state. */
export const withFrame = (table: FrameTable, mfn: number, frame: Frame): FrameTable => {
  const m = Math.floor(mfn / (LEAF * MIDDLE));
  const l = Math.floor(mfn / LEAF) % MIDDLE;
  const leaf = table.middles[m][l];
  const frames = leaf.frames.slice();
  frames[mfn % LEAF] = frame;
  const leaves = table.middles[m].slice();
  leaves[l] = new Leaf(leaf.base, frames);
  const middles = table.middles.slice();
  middles[m] = leaves;
  return { size: table.size, middles };
};

/** Give the run of frames [first, first + count) one state. */
export const withFrames = (table: FrameTable, first: number, count: number, frame: Frame): FrameTable => {
  const end = first + count;
  const span = LEAF * MIDDLE;
  const middles = table.middles.map((leaves, m) =>
    end <= m * span || first >= (m + 1) * span
      ? leaves
      : leaves.map((leaf) =>
          end <= leaf.base || first >= leaf.base + LEAF
            ? leaf
            : new Leaf(
                leaf.base,
                leaf.frames.map((old, i) => (leaf.base + i >= first && leaf.base + i < end ? frame : old)),
              ),
        ),
  );
  return { size: table.size, middles };
};

/** Both digest sums over the table (spec/digest.ts). */
export const frameSums = (table: FrameTable): readonly [number, number] => {
  let first = 0;
  let second = 0;
  for (const leaves of table.middles)
    for (const leaf of leaves) {
      const [a, b] = leaf.sums;
      first = (first + a) | 0;
      second = (second + b) | 0;
    }
  return [first, second];
};

/** Every frame that belongs to a domain, ascending. */
export function* framesOf(table: FrameTable): Iterable<FrameObservation> {
  for (let mfn = 0; mfn < table.size; mfn++) {
    const seen = observeFrame(mfn, frameAt(table, mfn)!);
    if (seen) yield seen;
  }
}
