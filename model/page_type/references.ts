/** References to frames, alone and together with a use (type). */

import { frame, setFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { freeFrame } from './allocation.ts';
import { isCounted, ownerOf } from './owner.ts';
import { getPageType, type PlainType, putPageType } from './type.ts';
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

/** Take a reference and a use, or neither. */
export const getPageAndType = (machine: Machine, domid: number, mfn: number, type: PlainType): Verdict => {
  const held = getPage(machine, domid, mfn);
  if (held.errno) return held;
  const used = getPageType(held.machine, mfn, type);
  return used.errno ? { ...used, machine: putPage(used.machine, mfn) } : used;
};

/** Give back a use and a reference. */
export const putPageAndType = (machine: Machine, mfn: number): Machine => putPage(putPageType(machine, mfn), mfn);
