/** Frames for the marks of use of version 2: taken from Xen's heap, and given back to it. */
import { GRANT_STATUS_PER_FRAME, GRANT_V2_PER_FRAME } from '#spec/abi/grant_table.ts';
import { FREE_FRAME, FRESH_FRAME } from '../../frame_table.ts';
import { cite } from '../../journal.ts';
import { frame, setFrame, setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { clearPage } from '../../memory/access.ts';
import { grantsOf, updateGrants } from './handles.ts';

/** Frames that the marks of a table of so many frames need. */
const statusFramesFor = (frames: number): number => Math.ceil((frames * GRANT_V2_PER_FRAME) / GRANT_STATUS_PER_FRAME);

/** gnttab/status-populated: null when Xen's heap runs out. */
export const populateStatusFrames = (machine: Machine, domid: number, frames: number): Machine | null => {
  const has = grantsOf(machine, domid).statusFrames ?? [];
  const taken = takeFromHeap(machine, domid, statusFramesFor(frames) - has.length);
  return taken && cite(updateGrants(taken.machine, domid, { statusFrames: [...has, ...taken.frames] }), 'gnttab/status-populated');
};

/** Zeroed frames of Xen's heap, shared writable with the domain. What was given back last is taken first. */
export const takeFromHeap = (
  machine: Machine,
  domid: number,
  count: number,
): { readonly machine: Machine; readonly frames: readonly number[] } | null => {
  let m = machine;
  const frames: number[] = [];
  for (let i = 0; i < count; i++) {
    const again = m.xenheapFree?.at(-1);
    const mfn = again ?? m.xenheapNext;
    if (mfn >= m.config.layout.xenheap_end) return null;
    const rest = again === undefined ? { xenheapNext: mfn + 1 } : { xenheapFree: m.xenheapFree!.slice(0, -1) };
    const shared = { ...FRESH_FRAME, owner: domid, type: 'writable', typeRefs: 1, validated: true } as const;
    m = setFrame(setMemory({ ...m, ...rest }, clearPage(m.memory, mfn)), mfn, shared);
    frames.push(mfn);
  }
  return { machine: m, frames };
};

/** gnttab/status-given_back: null when one of them is mapped still. */
export const giveBackStatusFrames = (machine: Machine, domid: number): Machine | null => {
  const { statusFrames = [], ...grants } = grantsOf(machine, domid);
  if (statusFrames.some((mfn) => frame(machine, mfn)!.refs > 1)) return null;
  // Free frames hold zeroes (`open/frame-choice`).
  const freed = statusFrames.reduce((m, mfn) => setFrame(setMemory(m, clearPage(m.memory, mfn)), mfn, FREE_FRAME), machine);
  const m = updateGrants(freed, domid, { ...grants, statusFrames: [] });
  return cite({ ...m, xenheapFree: [...(m.xenheapFree ?? []), ...statusFrames] }, 'gnttab/status-given_back');
};
