/** Frames that a domain gives back. */
import { cite } from '../../journal.ts';
import { frame, updateFrame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { addReference, putPage } from '../../page_type/references.ts';
import { addInt, toNumber, type Word } from '../../word/word.ts';

/** `count` frames from `first` on, one after the other, until one is not the domain's. */
export const giveBackFrames = (
  machine: Machine,
  domid: number,
  first: Word,
  count: number,
): { readonly machine: Machine; readonly done: boolean } => {
  let m = machine;
  for (let i = 0; i < count; i++) {
    const mfn = toNumber(addInt(first, i));
    if (ownerOf(m, mfn) !== domid) return { machine: cite(m, 'memory/decrease_reservation-frame'), done: false };
    m = giveBack(m, mfn);
  }
  return { machine: cite(m, 'memory/decrease_reservation-done'), done: true };
};

/** The frame loses its allocation's reference; Xen holds one of its own meanwhile. */
const giveBack = (machine: Machine, mfn: number): Machine => {
  const held = addReference(machine, mfn);
  const loose = frame(held, mfn)!.allocated ? putPage(updateFrame(held, mfn, { allocated: false }), mfn) : held;
  return putPage(loose, mfn);
};
