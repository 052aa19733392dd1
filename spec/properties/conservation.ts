/** Nothing is counted that nobody holds, and nobody holds what is not counted. Chapter: spec/chapters/page_type.md. */
import type { FrameObservation } from '../observation.ts';
import { isCounted, isShared } from './frames.ts';
import { type Use, type UseType, uses } from './uses.ts';
import { domainOf, hex, type Invariant, type View, type Violation } from './view.ts';

type Count = { refs: number; readonly types: Map<UseType, number>; readonly by: string[] };

export const countUses = (view: View): ReadonlyMap<number, Count> => {
  const counts = new Map<number, Count>();
  for (const use of uses(view)) if (isCounted(view, use.mfn)) add(counts, use);
  return counts;
};

const add = (counts: Map<number, Count>, { mfn, type, by }: Use): void => {
  let count = counts.get(mfn);
  if (count === undefined) {
    count = { refs: 0, types: new Map(), by: [] };
    counts.set(mfn, count);
  }
  count.refs++;
  if (type !== null) count.types.set(type, (count.types.get(type) ?? 0) + 1);
  count.by.push(type === null ? by : `${by} as ${type}`);
};

const NONE: Count = { refs: 0, types: new Map(), by: [] };

/** Calls that stopped half way hold references of their own, in the guest's state alone, until they go on. */
export const references: Invariant = {
  property: 'REF',
  states:
    'A frame has as many references as page tables, base pointers, pins, descriptor tables, grants and Xen hold, and one for its allocation.',
  *violations(view) {
    const counts = countUses(view);
    for (const frame of view.frames.values()) {
      if (!isCounted(view, frame.mfn) || isShared(view, frame.mfn)) continue;
      const held = counts.get(frame.mfn) ?? NONE;
      const allocation = frame.allocated === false ? 0 : 1;
      if (frame.refs !== held.refs + allocation || frame.refs === 0) yield wrong(frame, `${frame.refs} references`, held.refs, held);
    }
    for (const [mfn, held] of counts)
      if (!view.frames.has(mfn) && !isShared(view, mfn)) yield `frame ${hex(mfn)} is free, yet held by ${held.by.join(', ')}`;
  },
};

export const typeCounts: Invariant = {
  property: 'TYPE',
  states:
    'A frame is used as its type as often as its type count says, and in no other way: never writable and a page table or descriptor page.',
  *violations(view) {
    const counts = countUses(view);
    for (const frame of view.frames.values()) {
      if (!isCounted(view, frame.mfn) || isShared(view, frame.mfn)) continue;
      const held = counts.get(frame.mfn) ?? NONE;
      const kinds = [...held.types.keys()];
      const used = held.types.get(frame.type as UseType) ?? 0;
      if (kinds.some((kind) => kind !== frame.type) || used !== frame.type_refs)
        yield wrong(frame, `${frame.type_refs} uses as ${frame.type}`, used, held);
    }
  },
};

const wrong = ({ mfn, owner }: FrameObservation, says: string, held: number, { by }: Count): Violation =>
  `frame ${hex(mfn)} of ${owner === null ? 'Xen' : `d${owner}`} has ${says}; found are ${held}: ${by.length === 0 ? 'none' : by.join(', ')}`;

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
