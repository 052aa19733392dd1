/** The page tables that a vCPU starts with. */
import { ERRNO } from '#spec/abi/errno.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { PGT } from './frame_table.ts';
import type { Machine } from './machine.ts';
import { leaveOldGuestTable, putOldGuestTable } from './mm/old_guest_table.ts';
import { getPage, putPage } from './mm/page.ts';
import { getPageAndType, getPageType } from './mm/page_type.ts';
import { fillM2pSlot, m2pSlotIsEmpty, zapM2pSlot } from './mm/xen_slots.ts';
import type { Vcpu } from './vcpu.ts';

const PAGE_SHIFT = 12n;

/**
 * Load the kernel's and, unless zero, the user's (both as CR3 values). Answers 0 or a negative errno; the kernel's stays when the user's is
 * refused. -ERESTART: `caller` was interrupted; when asked again, a kernel table that was loaded before is taken as it is.
 */
export const loadTopTables = (machine: Machine, caller: Vcpu, target: Vcpu, kernel: bigint, user: bigint): number => {
  const { domid, vmAssistHigh } = target.domain;
  const isStrict = (vmAssistHigh & (1 << (VMASST_TYPE.m2p_strict - 32))) !== 0;
  const kernelTable = Number(kernel >> PAGE_SHIFT);
  const answer = takeKernelTable(machine, caller, target, kernelTable, isStrict);
  if (answer !== 0) return answer;
  target.kernelTable = kernelTable;
  if (user === 0n) return 0;
  const userTable = Number(user >> PAGE_SHIFT);
  const userAnswer = getPageAndType(machine, caller, userTable, PGT.l4, domid);
  if (userAnswer === -ERRNO.ERESTART) {
    leaveOldGuestTable(target, kernelTable, false);
    target.kernelTable = 0;
  }
  if (userAnswer !== 0) return userAnswer;
  if (isStrict) zapM2pSlot(machine, userTable);
  target.userTable = userTable;
  return 0;
};

const takeKernelTable = (machine: Machine, caller: Vcpu, target: Vcpu, mfn: number, isStrict: boolean): number => {
  const { frames } = machine;
  if (!getPage(frames, mfn, target.domain.domid)) return -ERRNO.EINVAL;
  if (mfn === target.oldGuestTable) {
    // An earlier try was interrupted at the user's table; the references of that try go on.
    target.oldGuestTable = -1;
    putPage(frames, mfn);
    return 0;
  }
  const answer = putOldGuestTable(machine, caller, target) || getPageType(machine, caller, mfn, PGT.l4);
  if (answer !== 0) {
    if (mfn !== caller.oldGuestTable || answer === -ERRNO.ERESTART) putPage(frames, mfn);
  } else if (!isStrict && m2pSlotIsEmpty(machine, mfn)) fillM2pSlot(machine, mfn);
  return answer;
};
