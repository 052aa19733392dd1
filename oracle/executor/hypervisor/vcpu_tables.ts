/** The page tables that a vCPU starts with. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { PGT } from './frame_table.ts';
import type { Machine } from './machine.ts';
import { putOldGuestTable } from './mm/old_guest_table.ts';
import { getPageAndType } from './mm/page_type.ts';
import { fillM2pSlot, m2pSlotIsEmpty, zapM2pSlot } from './mm/xen_slots.ts';
import type { Vcpu } from './vcpu.ts';

const PAGE_SHIFT = 12n;

/** Load the kernel's and, unless zero, the user's (both as CR3 values). Answers 0 or a negative errno; the kernel's stays when the user's is refused. */
export const loadTopTables = (machine: Machine, caller: Vcpu, target: Vcpu, kernel: bigint, user: bigint): number => {
  const { domid, vmAssistHigh } = target.domain;
  const isStrict = (vmAssistHigh & (1 << (VMASST_TYPE.m2p_strict - 32))) !== 0;
  putOldGuestTable(machine, caller);
  const kernelTable = Number(kernel >> PAGE_SHIFT);
  const answer = getPageAndType(machine, caller, kernelTable, PGT.l4, domid);
  if (answer !== 0) return answer;
  if (!isStrict && m2pSlotIsEmpty(machine, kernelTable)) fillM2pSlot(machine, kernelTable);
  target.kernelTable = kernelTable;
  if (user === 0n) return 0;
  const userTable = Number(user >> PAGE_SHIFT);
  const userAnswer = getPageAndType(machine, caller, userTable, PGT.l4, domid);
  if (userAnswer !== 0) return userAnswer;
  if (isStrict) zapM2pSlot(machine, userTable);
  target.userTable = userTable;
  return 0;
};
