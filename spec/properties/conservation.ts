/** Nothing is counted that nobody holds, and nobody holds what is not counted. Chapter: spec/chapters/page_type.md. */
import type { FrameObservation, FrameType } from '../observation.ts';
import { isCounted, isShared } from './frames.ts';
import { type Use, type UseType, uses } from './uses.ts';
import { domainOf, hex, type Invariant, type View, type Violation } from './view.ts';

const TYPES: readonly UseType[] = ['writable', 'l1', 'l2', 'l3', 'l4', 'seg_desc'];

/** How often each frame is held, and as what; in all, as types, by number of the type. */
export class Tally {
  private readonly refs: Int32Array;
  private readonly types: Int32Array;
  /** Every frame that is held, once. */
  readonly all: number[] = [];

  constructor(frames: number) {
    this.refs = new Int32Array(frames);
    this.types = new Int32Array(frames * TYPES.length);
  }

  /** Nothing is held; null when it has not room for so many frames. */
  emptyFor(frames: number): Tally | null {
    if (this.refs.length !== frames) return null;
    for (const mfn of this.all) {
      this.refs[mfn] = 0;
      this.types.fill(0, mfn * TYPES.length, (mfn + 1) * TYPES.length);
    }
    this.all.length = 0;
    return this;
  }

  add({ mfn, type }: Use): void {
    if (this.refs[mfn]!++ === 0) this.all.push(mfn);
    if (type !== null) this.types[mfn * TYPES.length + TYPES.indexOf(type)]!++;
  }

  held(mfn: number): number {
    return this.refs[mfn]!;
  }

  usedAs(mfn: number, type: FrameType): number {
    const index = TYPES.indexOf(type as UseType);
    return index < 0 ? 0 : this.types[mfn * TYPES.length + index]!;
  }

  /** Whether it is used in some other way than as this type. */
  isUsedOtherwise(mfn: number, type: FrameType): boolean {
    return TYPES.some((other) => other !== type && this.usedAs(mfn, other) > 0);
  }
}

/** Two properties ask for the same view, one after the other; its numbers take much room, which the next view's take over. */
let last: { readonly view: View; readonly tally: Tally } | null = null;

export const tallyOf = (view: View): Tally => {
  if (last?.view === view) return last.tally;
  const tally = last?.tally.emptyFor(view.config.frames) ?? new Tally(view.config.frames);
  last = null;
  for (const use of uses(view)) if (isCounted(view, use.mfn)) tally.add(use);
  last = { view, tally };
  return tally;
};

/** Everything that holds a frame, for people. */
const holders = (view: View, frame: number): string => {
  const found: string[] = [];
  for (const { mfn, type, by } of uses(view)) if (mfn === frame) found.push(type === null ? by() : `${by()} as ${type}`);
  return found.length === 0 ? 'none' : found.join(', ');
};

/** Calls that stopped half way hold references of their own, in the guest's state alone, until they go on. */
export const references: Invariant = {
  property: 'REF',
  states:
    'A frame has as many references as page tables, base pointers, pins, descriptor tables, grants and Xen hold, and one for its allocation.',
  *violations(view) {
    const tally = tallyOf(view);
    for (const mfn of tally.all)
      if (!view.frames.has(mfn) && !isShared(view, mfn)) yield `frame ${hex(mfn)} is free, yet held by ${holders(view, mfn)}`;
    for (const frame of view.frames.values()) {
      const { mfn, refs, allocated } = frame;
      if (!isCounted(view, mfn)) continue;
      const held = tally.held(mfn);
      const isRight = refs === held + (allocated === false ? 0 : 1) && refs > 0;
      if (!isRight && !isShared(view, mfn)) yield wrong(view, frame, `${refs} references`, held);
    }
  },
};

export const typeCounts: Invariant = {
  property: 'TYPE',
  states:
    'A frame is used as its type as often as its type count says, and in no other way: never writable and a page table or descriptor page.',
  *violations(view) {
    const tally = tallyOf(view);
    for (const frame of view.frames.values()) {
      if (!isCounted(view, frame.mfn)) continue;
      const used = tally.usedAs(frame.mfn, frame.type);
      const isRight = used === frame.type_refs && !tally.isUsedOtherwise(frame.mfn, frame.type);
      if (!isRight && !isShared(view, frame.mfn)) yield wrong(view, frame, `${frame.type_refs} uses as ${frame.type}`, used);
    }
  },
};

const wrong = (view: View, { mfn, owner }: FrameObservation, says: string, held: number): Violation =>
  `frame ${hex(mfn)} of ${owner === null ? 'Xen' : `d${owner}`} has ${says}; found are ${held}: ${holders(view, mfn)}`;

/** What of a domain's frames is counted as its own. */
export const pages: Invariant = {
  property: 'REF',
  states: 'A domain has as many pages as frames of RAM are its own.',
  *violations(view) {
    const owned = new Map<number, number>();
    for (const { mfn, owner } of view.frames.values())
      if (owner !== null && isCounted(view, mfn) && !isShared(view, mfn)) owned.set(owner, (owned.get(owner) ?? 0) + 1);
    for (const domain of view.observation.domains) {
      const found = owned.get(domain.domid) ?? 0;
      if (found !== domain.pages) yield `d${domain.domid} has ${domain.pages} pages by its count; ${found} frames are its own`;
    }
    for (const [domid, count] of owned) if (!domainOf(view, domid)) yield `d${domid} is gone, yet ${count} frames are its own`;
  },
};
