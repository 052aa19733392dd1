/**
 * Type references: a frame has one type as long as somebody relies on it, and a page table type only after its entries were checked.
 * `vcpu` is the one on whose behalf Xen works; what an operation must leave for later is noted in it (old_guest_table.ts).
 */
import { ERRNO } from '#spec/abi/errno.ts';
import { PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { flushForType } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';
import { demote } from './demote.ts';
import { dropLinearLink } from './linear_table.ts';
import { getPage, putPage } from './page.ts';
import { promote } from './promote.ts';

const isTable = (type: number): boolean => (type >= PGT.l1 && type <= PGT.l4) || type === PGT.xen_l2;

/**
 * Take a type reference. Answers 0 or a negative errno: -EINVAL when the frame is of another type now, -ERESTART when the check of a table
 * was interrupted (it goes on with the next reference that is asked for).
 */
export const getPageType = (machine: Machine, vcpu: Vcpu, mfn: number, type: number): number => {
  const { frames } = machine;
  const { flags, typeRefs } = frames;
  let wasPartial = false;
  frames.touch(mfn);
  if (typeRefs[mfn] === 0) {
    if (frames.type[mfn] !== type) {
      flushForType(machine, mfn);
      frames.type[mfn] = type;
      flags[mfn] &= ~PGF.validated;
    }
    typeRefs[mfn] = 1;
  } else if (frames.type[mfn] !== type) {
    return -ERRNO.EINVAL;
  } else if ((flags[mfn] & PGF.validated) === 0) {
    // Checked half-way by an earlier call: goes on from there, with the reference that is already counted.
    wasPartial = true;
    flags[mfn] &= ~PGF.partial;
  } else {
    typeRefs[mfn]++;
  }
  if ((flags[mfn] & PGF.validated) !== 0) return 0;
  if (type === PGT.writable || type === PGT.shared) {
    flags[mfn] |= PGF.validated;
    return 0;
  }
  if (!wasPartial) {
    frames.nrValidated[mfn] = 0;
    frames.partialSet[mfn] = 0;
    frames.linear[mfn] = 0;
  }
  const answer = validate(machine, vcpu, mfn, type);
  if (wasPartial) putPage(frames, mfn);
  return answer;
};

/** Check the contents. On failure the frame has no type; it is left half-way when interrupted, or for `vcpu.oldGuestTable`. */
const validate = (machine: Machine, vcpu: Vcpu, mfn: number, type: number): number => {
  const { frames } = machine;
  const answer = promote(machine, vcpu, mfn, type);
  if (answer === 0) {
    frames.flags[mfn] |= PGF.validated;
  } else if (answer !== -ERRNO.ERESTART && mfn !== vcpu.oldGuestTable) {
    frames.type[mfn] = PGT.none;
    frames.typeRefs[mfn] = 0;
    frames.flags[mfn] &= ~(PGF.validated | PGF.partial | PGF.pinned);
  } else {
    frames.refs[mfn]++;
    frames.flags[mfn] |= PGF.partial;
  }
  return answer;
};

/**
 * Give a type reference back. The last one of a page table gives up what its entries hold. `partial`: only end a validation that stopped
 * half-way, if there is one. `from`: the table whose entry referred to the frame, -1 when it was none. Answers 0, or -ERESTART: interrupted
 * (tables above L1 only); the frame is half-way then, and its general reference still needed.
 */
export const putPageType = (machine: Machine, vcpu: Vcpu, mfn: number, partial = false, from = -1): number => {
  const { frames } = machine;
  const { flags, typeRefs } = frames;
  if (partial && (flags[mfn] & PGF.partial) === 0) return 0;
  frames.touch(mfn);
  const type = frames.type[mfn];
  const isLink = from >= 0 && type === frames.type[from];
  if (typeRefs[mfn] === 1 && isTable(type) && (flags[mfn] & (PGF.validated | PGF.partial)) !== 0) {
    const before = flags[mfn];
    flags[mfn] &= ~(PGF.validated | PGF.partial);
    const wasPartial = (before & PGF.partial) !== 0;
    if (!wasPartial) {
      frames.nrValidated[mfn] = 512;
      frames.partialSet[mfn] = 0;
    }
    const answer = demote(machine, vcpu, mfn, type);
    if (isLink && (before & PGF.validated) !== 0) dropLinearLink(machine, mfn, from);
    if (answer === 0) {
      if (type === PGT.xen_l2) frames.type[mfn] = PGT.l2;
      typeRefs[mfn] = 0;
      frames.lastUse[mfn] = machine.tlb.time;
    } else {
      frames.refs[mfn]++;
      flags[mfn] |= PGF.partial;
    }
    if (wasPartial) putPage(frames, mfn);
    return answer;
  }
  if (--typeRefs[mfn] === 0) frames.lastUse[mfn] = machine.tlb.time;
  if (isLink) dropLinearLink(machine, mfn, from);
  return 0;
};

/** Both references. Answers 0, or -ERESTART: the general one is kept. */
export const putPageAndType = (machine: Machine, vcpu: Vcpu, mfn: number): number => {
  const answer = putPageType(machine, vcpu, mfn);
  if (answer === 0) putPage(machine.frames, mfn);
  return answer;
};

/** What becomes of the general reference: held before (`partialSet`), kept when interrupted (`retain`). */
export type Hold = { readonly partialSet: boolean; readonly retain: boolean };
const NEW: Hold = { partialSet: false, retain: false };

/** A general and a type reference to a frame of `domid`. Answers 0 or a negative errno (getPageType). */
export const getPageAndType = (machine: Machine, vcpu: Vcpu, mfn: number, type: number, domid: number, hold: Hold = NEW): number => {
  if (!hold.partialSet && !getPage(machine.frames, mfn, domid)) return -ERRNO.EINVAL;
  const answer = getPageType(machine, vcpu, mfn, type);
  const isKept = answer === 0 || hold.partialSet || mfn === vcpu.oldGuestTable || (hold.retain && answer === -ERRNO.ERESTART);
  if (!isKept) putPage(machine.frames, mfn);
  return answer;
};

/** Whether the frame serves as a table or a writable page now, so that entries in it may be changed in place. */
export const isLockable = (machine: Machine, mfn: number): boolean =>
  machine.frames.typeRefs[mfn] > 0 && (machine.frames.flags[mfn] & PGF.validated) !== 0;
