/** Frames that change hands: from nobody to a domain, and back. Chapter: spec/chapters/memory_op.md. */
import { INVALID_M2P_ENTRY } from '#spec/abi/memory.ts';
import { FREE_FRAME, type Frame } from '../frame_table.ts';
import { cite } from '../journal.ts';
import { domainOf, frame, setFrame, setMemory, updateDomain } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { writeWord } from '../memory/memory.ts';
import { fromBigInt, type Word } from '../word/word.ts';

const NOBODY = fromBigInt(INVALID_M2P_ENTRY);
const OWNED: Omit<Frame, 'owner'> = { refs: 1, type: 'none', typeRefs: 0, pinned: false, allocated: true, validated: false };

/** The lowest run of 2^order frames that nobody has, aligned to that, all below `limit`; null when there is none. */
export const findFree = (machine: Machine, order: number, limit: number): number | null => {
  const size = 2 ** order;
  const end = Math.min(limit, machine.config.frames);
  const isFree = (mfn: number): boolean => frame(machine, mfn)!.owner === null;
  for (let first = Math.ceil(machine.freeFrom / size) * size; first + size <= end; first += size) {
    let taken = first;
    while (taken < first + size && isFree(taken)) taken++;
    if (taken === first + size) return first;
  }
  return null;
};

/**
 * Make a domain the owner of a run that `findFree` found, each frame with the one reference of its allocation. The domain's count is
 * the caller's affair.
 */
export const assignFrames = (machine: Machine, domid: number, first: number, count: number): Machine => {
  let m = machine;
  for (let mfn = first; mfn < first + count; mfn++) m = setFrame(m, mfn, { owner: domid, ...OWNED });
  // A single frame was the lowest that was free.
  const lowest = count === 1 || (first <= m.freeFrom && m.freeFrom < first + count);
  return { ...m, freeFrames: m.freeFrames - count, freeFrom: lowest ? first + count : m.freeFrom };
};

/** The domain has `change` pages more; whatever it is given is taken from its claim (`memory/allocate-claimed`). */
export const adjustPages = (machine: Machine, domid: number, change: number): Machine => {
  const { pages, claimed } = domainOf(machine, domid);
  return updateDomain(machine, domid, { pages: pages + change, claimed: claimed === 0 ? 0 : Math.max(0, claimed - change) });
};

/** Say which page of its domain a frame is. */
export const setM2p = (machine: Machine, mfn: number, page: Word): Machine =>
  setMemory(machine, writeWord(machine.memory, machine.config.layout.m2p_first + Math.floor(mfn / 512), mfn % 512, page));

/** The frame is nobody's from now on (`memory/freed`). A frame of Xen's heap stays Xen's. */
export const freeFrame = (machine: Machine, mfn: number): Machine => {
  const { owner } = frame(machine, mfn)!;
  const told = cite(machine, 'memory/freed');
  if (mfn < machine.config.layout.domheap_first) return setFrame(told, mfn, FREE_FRAME);
  return loseFrame(owner === null ? told : adjustPages(told, owner, -1), mfn);
};

/** The same for a frame that is not counted any more. */
export const loseFrame = (machine: Machine, mfn: number): Machine => {
  const loose = setM2p(setFrame(machine, mfn, FREE_FRAME), mfn, NOBODY);
  return { ...loose, freeFrames: loose.freeFrames + 1, freeFrom: Math.min(loose.freeFrom, mfn) };
};
