/** mmuext_op's pinning: a reference that keeps a page table valid without being in use. */
import { ERRNO } from '#spec/abi/errno.ts';
import { PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { leaveOldGuestTable } from './old_guest_table.ts';
import { getPage, putPage } from './page.ts';
import { getPageType, putPageAndType } from './page_type.ts';

/** Answers 0 or a negative errno, -ERESTART when interrupted. The frame must belong to `pgOwner`. */
export const pinTable = (machine: Machine, vcpu: Vcpu, mfn: number, type: number, pgOwner: number): number => {
  const { frames } = machine;
  if (!getPage(frames, mfn, pgOwner)) return -ERRNO.EINVAL;
  const answer = getPageType(machine, vcpu, mfn, type);
  if (answer !== 0) {
    if (mfn !== vcpu.oldGuestTable) putPage(frames, mfn);
    return answer;
  }
  if ((frames.flags[mfn] & PGF.pinned) === 0) {
    if (machine.domainById(pgOwner)?.dying == null) frames.flags[mfn] |= PGF.pinned;
    else dropPin(machine, vcpu, mfn, type);
    return 0;
  }
  dropPin(machine, vcpu, mfn, type);
  return -ERRNO.EINVAL;
};

/** The references of a pin that is not to be: now, or where that may take long, by the next call. */
const dropPin = (machine: Machine, vcpu: Vcpu, mfn: number, type: number): void => {
  if (type === PGT.l1) putPageAndType(machine, vcpu, mfn);
  else leaveOldGuestTable(vcpu, mfn, false);
};

/** Done even when giving back what the table holds was interrupted: the rest waits for the next call. */
export const unpinTable = (machine: Machine, vcpu: Vcpu, mfn: number, pgOwner: number): number => {
  const { frames } = machine;
  if (!getPage(frames, mfn, pgOwner)) return -ERRNO.EINVAL;
  const wasPinned = (frames.flags[mfn] & PGF.pinned) !== 0;
  if (wasPinned) {
    frames.flags[mfn] &= ~PGF.pinned;
    if (putPageAndType(machine, vcpu, mfn) !== 0) leaveOldGuestTable(vcpu, mfn, true);
  }
  putPage(frames, mfn);
  return wasPinned ? 0 : -ERRNO.EINVAL;
};
