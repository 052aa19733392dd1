/** Frames that a domain gives back. */
import { cite } from '../../journal.ts';
import { frame, setFrame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { freeRun } from '../../page_type/allocation.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { putPage } from '../../page_type/references.ts';
import { addInt, toNumber, type Word } from '../../word/word.ts';

/** `count` frames from `first` on, one after the other, until one is not the domain's. */
export const giveBackFrames = (
  machine: Machine,
  domid: number,
  first: Word,
  count: number,
): { readonly machine: Machine; readonly done: boolean } => {
  if (count > 1 && isLooseRun(machine, domid, toNumber(first), count))
    return { machine: cite(freeRun(machine, domid, toNumber(first), count), 'memory/decrease_reservation-done'), done: true };
  let m = machine;
  for (let i = 0; i < count; i++) {
    const mfn = toNumber(addInt(first, i));
    if (ownerOf(m, mfn) !== domid) return { machine: cite(m, 'memory/decrease_reservation-frame'), done: false };
    m = giveBack(m, mfn);
  }
  return { machine: cite(m, 'memory/decrease_reservation-done'), done: true };
};

/** Only its allocation refers to each frame of the run. */
const isLooseRun = (machine: Machine, domid: number, first: number, count: number): boolean => {
  if (first < machine.config.layout.domheap_first || first + count > machine.config.frames) return false;
  for (let mfn = first; mfn < first + count; mfn++) {
    const state = frame(machine, mfn);
    if (state?.owner !== domid || state.refs !== 1 || !state.allocated) return false;
  }
  return true;
};

/** The frame loses its allocation's reference, if it still has that. */
const giveBack = (machine: Machine, mfn: number): Machine => {
  const state = frame(machine, mfn)!;
  return state.allocated ? putPage(setFrame(machine, mfn, { ...state, allocated: false }), mfn) : machine;
};
