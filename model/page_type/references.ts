/** References to frames, alone and together with a use (type). */

import { cite } from '../journal.ts';
import { frame, setFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { freeFrame } from './allocation.ts';
import { isCounted, ownerOf } from './owner.ts';
import { getPageType, levelOf, type PlainType, putPageType } from './type.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

/** Take a reference to a frame that `domid` owns; else EINVAL. */
export const getPage = (machine: Machine, domid: number, mfn: number): Verdict =>
  ownerOf(machine, mfn) === domid ? allow(addReference(machine, mfn)) : refuse(machine, 'EINVAL', 'page_type/reference');

/** Take another reference to a frame that has one already. */
export const addReference = (machine: Machine, mfn: number): Machine => {
  if (!isCounted(machine, mfn)) return machine;
  const state = frame(machine, mfn)!;
  return setFrame(machine, mfn, { ...state, refs: state.refs + 1 });
};

/** Give a reference back. The last one frees the frame. */
export const putPage = (machine: Machine, mfn: number): Machine => {
  if (!isCounted(machine, mfn)) return machine;
  const state = frame(machine, mfn)!;
  return state.refs === 1 ? freeFrame(machine, mfn) : setFrame(machine, mfn, { ...state, refs: state.refs - 1 });
};

/**
 * Take a reference and a use of a frame that has a reference already: both counts at once where the frame is used so already. With an
 * errno the reference alone was taken.
 */
export const addReferenceAndType = (machine: Machine, mfn: number, type: PlainType): Verdict => {
  const state = frame(machine, mfn)!;
  if (!isCounted(machine, mfn) || state.typeRefs === 0 || state.type !== type) return getPageType(addReference(machine, mfn), mfn, type);
  const counted = setFrame(machine, mfn, { ...state, refs: state.refs + 1, typeRefs: state.typeRefs + 1 });
  return allow(cite(counted, 'page_type/type-same'));
};

/** Take a reference and a use, or neither. */
export const getPageAndType = (machine: Machine, domid: number, mfn: number, type: PlainType): Verdict => {
  const held = getPage(machine, domid, mfn);
  if (held.errno) return held;
  const used = getPageType(held.machine, mfn, type);
  return used.errno ? { ...used, machine: putPage(used.machine, mfn) } : used;
};

/** Give back a use and a reference. */
export const putPageAndType = (machine: Machine, mfn: number): Machine => {
  if (!isCounted(machine, mfn)) return machine;
  const state = frame(machine, mfn)!;
  if (state.typeRefs <= 1 || state.refs <= 1 || levelOf(state.type)) return putPage(putPageType(machine, mfn), mfn);
  return setFrame(machine, mfn, { ...state, refs: state.refs - 1, typeRefs: state.typeRefs - 1 });
};
