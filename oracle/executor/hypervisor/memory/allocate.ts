/** Frames for domains: taken from those that are free, and given back to them. */
import type { Domain } from '../domain.ts';
import { setM2p } from '../domain_builder/m2p.ts';
import { NO_OWNER, PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { vanishIfGone } from '../teardown/vanish.ts';
import { flushForAllocation } from '../tlbflush.ts';
import { Heap } from './heap.ts';

/** Largest order of a run that Xen hands out. */
const MAX_ORDER = 18;

/** Where frames may lie: below `limit`; only on `exactNode` when that is none (-1 for any) but the machine's one node, 0. */
export type Wish = { readonly limit: number; readonly exactNode: number };

/** The machine's free frames; built when first asked for. */
export const heapOf = (machine: Machine): Heap => {
  machine.heap ??= new Heap(machine.firstFree, machine.frames.count);
  return machine.heap;
};

/**
 * Take a run of 2^order frames that nobody owns afterwards. Memory that is claimed is for those who have claimed as much; `claimed`: what
 * the taker has. Answers the first frame, -1 when there is none.
 */
export const takeFrames = (machine: Machine, order: number, { limit, exactNode }: Wish, claimed: number): number => {
  if (order > MAX_ORDER || exactNode > 0) return -1;
  const heap = heapOf(machine);
  const size = 2 ** order;
  if (machine.claims + size > heap.free && claimed < size) return -1;
  const first = heap.take(order, limit);
  if (first >= 0) flushForAllocation(machine, first, size);
  return first;
};

/** Frames that nobody owns are free. */
export const giveFramesBack = (machine: Machine, first: number, order: number): void => {
  const heap = heapOf(machine);
  for (let mfn = first; mfn < first + 2 ** order; mfn++) heap.give(mfn);
};

/** Make a domain the owner of frames that nobody owns; its count is not touched. */
export const assignFrames = ({ frames }: Machine, domain: Domain, first: number, count: number): void => {
  for (let mfn = first; mfn < first + count; mfn++) {
    frames.touch(mfn);
    frames.owner[mfn] = domain.domid;
    frames.refs[mfn] = 1;
    frames.type[mfn] = PGT.none;
    frames.typeRefs[mfn] = 0;
    frames.flags[mfn] = PGF.allocated;
    frames.needFlush[mfn] = 0;
  }
};

/** A domain has got, or lost, so many frames: what it has claimed shrinks, or grows, with that. */
export const adjustPages = (machine: Machine, domain: Domain, by: number): void => {
  domain.pages += by;
  if (domain.claimed === 0) return;
  const left = Math.max(0, domain.claimed - by);
  machine.claims -= domain.claimed - left;
  domain.claimed = left;
};

/** A run of 2^order frames for the domain, counted among its pages. Answers the first frame, -1 when it cannot be. */
export const allocateFrames = (machine: Machine, domain: Domain, order: number, wish: Wish): number => {
  const first = takeFrames(machine, order, wish, domain.claimed);
  if (first < 0) return -1;
  const size = 2 ** order;
  if (domain.dying !== null || domain.pages + size > domain.maxPages) {
    giveFramesBack(machine, first, order);
    return -1;
  }
  adjustPages(machine, domain, size);
  assignFrames(machine, domain, first, size);
  return first;
};

/** Nobody owns the frame any more, and no entry of the machine-to-phys table names it. */
export const disown = (machine: Machine, mfn: number): void => {
  const { frames } = machine;
  frames.touch(mfn);
  frames.owner[mfn] = NO_OWNER;
  frames.refs[mfn] = 0;
  frames.type[mfn] = PGT.none;
  frames.typeRefs[mfn] = 0;
  frames.flags[mfn] = 0;
};

/** A frame that was a domain's is about to become free: translations of that domain may live on. */
export const markFree = ({ frames, tlb }: Machine, mfn: number): void => {
  frames.needFlush[mfn] = 1;
  frames.lastUse[mfn] = tlb.time;
};

/** The last reference to a frame of a domain is gone: it is free, with what it holds. Frames of Xen's heap stay Xen's. */
export const freeFrame = (machine: Machine, mfn: number): void => {
  const { frames } = machine;
  const domain = machine.domainById(frames.owner[mfn]);
  if ((frames.flags[mfn] & PGF.xenheap) !== 0) {
    frames.owner[mfn] = NO_OWNER;
    if (domain) vanishIfGone(machine, domain);
    return;
  }
  // What a dying domain leaves is nobody's to read.
  if (domain && domain.dying !== null) machine.memory.fill(mfn * 4096, 4096, 0);
  // Built before the frame is given to it, or it would be there twice.
  const heap = heapOf(machine);
  disown(machine, mfn);
  markFree(machine, mfn);
  setM2p(machine, mfn, -1);
  heap.give(mfn);
  if (!domain) return;
  adjustPages(machine, domain, -1);
  vanishIfGone(machine, domain);
};
