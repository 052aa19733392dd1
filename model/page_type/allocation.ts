/** Frames that change hands: from nobody to a domain, and back. Chapter: spec/chapters/memory_op.md. */

import { INVALID_M2P_ENTRY } from '#spec/abi/memory.ts';
import { followed } from '../domain/compat_m2p.ts';
import { vanishIfEmpty } from '../domain/teardown/vanish.ts';
import { FREE_FRAME, FRESH_FRAME, type Frame, freeRunIn, withFrames } from '../frame_table.ts';
import { cite } from '../journal.ts';
import { domainOf, findDomain, frame, setFrame, setMemory, updateDomain } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { clearPage } from '../memory/access.ts';
import { pageOf, withPageOf, writeWord } from '../memory/memory.ts';
import { pageWithRun } from '../memory/page.ts';
import { flushForOwner } from '../tlb.ts';
import { fromBigInt, type Word } from '../word/word.ts';

const NOBODY = fromBigInt(INVALID_M2P_ENTRY);

/** The lowest run of 2^order frames that nobody has, aligned to that, all below `limit`; null when there is none. */
export const findFree = (machine: Machine, order: number, limit: number): number | null =>
  freeRunIn(machine.frames, machine.freeFrom, Math.min(limit, machine.config.frames), 2 ** order);

/** Below this many frames one by one is faster. */
const FEW = 8;

const setRun = (machine: Machine, first: number, count: number, state: Frame): Machine => {
  if (count >= FEW) return { ...machine, frames: withFrames(machine.frames, first, count, state) };
  let m = machine;
  for (let mfn = first; mfn < first + count; mfn++) m = setFrame(m, mfn, state);
  return m;
};

/**
 * Make a domain the owner of a run that `findFree` found, each frame with the one reference of its allocation. The domain's count is
 * the caller's affair.
 */
export const assignFrames = (machine: Machine, domid: number, first: number, count: number): Machine => {
  const m = setRun(flushForOwner(machine, first, count), first, count, { ...FRESH_FRAME, owner: domid });
  // A single frame was the lowest that was free.
  const lowest = count === 1 || (first <= m.freeFrom && m.freeFrom < first + count);
  return { ...m, freeFrames: m.freeFrames - count, freeFrom: lowest ? first + count : m.freeFrom };
};

/** The domain has `change` pages more; whatever it is given is taken from its claim (`memory/allocate-claimed`). */
export const adjustPages = (machine: Machine, domid: number, change: number): Machine => {
  const { pages, claimed } = domainOf(machine, domid);
  return updateDomain(machine, domid, { pages: pages + change, claimed: claimed === 0 ? 0 : Math.max(0, claimed - change) });
};

/** Say which pages the frames of a run are: frame n of it is `page(n)`. */
export const setM2pRun = (machine: Machine, first: number, count: number, page: (n: number) => Word): Machine => {
  const { m2p_first } = machine.config.layout;
  let { memory } = machine;
  for (let table = Math.floor(first / 512); table * 512 < first + count; table++) {
    const from = Math.max(first - table * 512, 0);
    const to = Math.min(first + count - table * 512, 512);
    const named = pageWithRun(pageOf(memory, m2p_first + table), from, to - from, (i) => page(table * 512 + i - first));
    memory = withPageOf(memory, m2p_first + table, named);
  }
  let m = setMemory(machine, memory);
  for (let i = 0; i < count && hasCompatM2p(m); i++) m = setMemory(m, followed(m, first + i, page(i)));
  return m;
};

/** Say which page of its domain a frame is. */
export const setM2p = (machine: Machine, mfn: number, page: Word): Machine =>
  follow(
    setMemory(machine, writeWord(machine.memory, machine.config.layout.m2p_first + Math.floor(mfn / 512), mfn % 512, page)),
    mfn,
    page,
  );

const hasCompatM2p = ({ domains }: Machine): boolean => domains.some(({ pv32 }) => pv32 !== undefined);
const follow = (machine: Machine, mfn: number, page: Word): Machine => setMemory(machine, followed(machine, mfn, page));

/** tlb/freed: what is known of a frame that a domain loses now. */
const lost = ({ tlb }: Machine): Frame => ({ ...FREE_FRAME, usedUntil: tlb.time });

/** A run that `findFree` found was taken and given back before any domain had it (`memory/allocate-limit`). */
export const takenInVain = (machine: Machine, first: number, count: number): Machine =>
  setRun(flushForOwner(machine, first, count), first, count, FREE_FRAME);

/** The frame is nobody's from now on (`memory/freed`). A frame of Xen's heap stays Xen's. */
export const freeFrame = (machine: Machine, mfn: number): Machine => {
  const { owner } = frame(machine, mfn)!;
  const told = cite(machine, 'memory/freed');
  const isHeap = mfn < machine.config.layout.domheap_first;
  const freed = isHeap ? setFrame(told, mfn, FREE_FRAME) : loseFrame(owner === null ? told : adjustPages(told, owner, -1), mfn);
  return owner !== null && findDomain(freed, owner)?.dying ? freedByTheDying(freed, owner, isHeap ? null : mfn) : freed;
};

/** memory/freed-dying: what a dying domain had in it nobody sees again; the last frame takes the domain with it. */
const freedByTheDying = (machine: Machine, domid: number, mfn: number | null): Machine =>
  vanishIfEmpty(mfn === null ? machine : setMemory(cite(machine, 'memory/freed-dying'), clearPage(machine.memory, mfn)), domid);

/** The same for a run of frames that a domain owns and nothing but their allocation refers to. */
export const freeRun = (machine: Machine, domid: number, first: number, count: number): Machine => {
  const counted = adjustPages(cite(machine, 'memory/freed'), domid, -count);
  const loose = setRun(counted, first, count, lost(counted));
  return {
    ...setM2pRun(loose, first, count, () => NOBODY),
    freeFrames: loose.freeFrames + count,
    freeFrom: Math.min(loose.freeFrom, first),
  };
};

/** The same for a frame that is not counted any more. */
export const loseFrame = (machine: Machine, mfn: number): Machine => {
  const loose = setM2p(setFrame(cite(machine, 'tlb/freed'), mfn, lost(machine)), mfn, NOBODY);
  return { ...loose, freeFrames: loose.freeFrames + 1, freeFrom: Math.min(loose.freeFrom, mfn) };
};
