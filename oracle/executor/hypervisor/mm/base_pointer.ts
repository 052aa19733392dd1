/** Loading top-level page tables: the kernel's (also by MOV to CR3) and the user's. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { flushLocal } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';
import { addressHi, addressLo, entryChanged, PTE } from './entry.ts';
import { dropLdtPages } from './local_descriptor_table.ts';
import { leaveOldGuestTable, putOldGuestTable } from './old_guest_table.ts';
import { getPageAndType, putPageAndType } from './page_type.ts';
import { deferPutFromTableEntry } from './table_entry.ts';
import { fillM2pSlot, m2pSlotIsEmpty, zapM2pSlot } from './xen_slots.ts';

/** Flags of the entry for a 32-bit guest's L3. */
const BASE_POINTER = PTE.PRESENT | PTE.RW | PTE.USER | PTE.ACCESSED;

const isM2pStrict = (vcpu: Vcpu): boolean => (vcpu.domain.vmAssistHigh & (1 << (VMASST_TYPE.m2p_strict - 32))) !== 0;

/** Give up the table that was loaded before. Answers 0, or -ERESTART: the rest of it waits. */
const putOld = (machine: Machine, vcpu: Vcpu, old: number): number => {
  if (old === 0) return 0;
  const answer = putPageAndType(machine, vcpu, old);
  if (answer !== 0) leaveOldGuestTable(vcpu, old, true);
  return answer;
};

/**
 * Answers 0 or a negative errno; the frame that is loaded already is accepted unseen. -ERESTART: interrupted, before the new table was loaded
 * or after; asked again it goes on.
 */
export const newGuestCr3 = (machine: Machine, vcpu: Vcpu, mfn: number): number => {
  if (vcpu.domain.compat) return newCompatCr3(machine, vcpu, mfn);
  const waiting = putOldGuestTable(machine, vcpu);
  if (waiting !== 0) return waiting;
  const old = vcpu.kernelTable;
  if (old === mfn) {
    flushLocal(machine, vcpu);
    return 0;
  }
  const answer = getPageAndType(machine, vcpu, mfn, PGT.l4, vcpu.domain.domid);
  if (answer !== 0) return answer;
  dropLdtPages(machine, vcpu);
  if (!isM2pStrict(vcpu) && m2pSlotIsEmpty(machine, mfn)) fillM2pSlot(machine, mfn);
  vcpu.kernelTable = mfn;
  if (vcpu.kernelMode) vcpu.cpu.root = mfn;
  flushLocal(machine, vcpu);
  return putOld(machine, vcpu, old);
};

/**
 * The L3 of a 32-bit guest stands in the first slot of an L4 of Xen's, which changes as any entry does. What the old one held is given up by the
 * next call.
 */
const newCompatCr3 = (machine: Machine, vcpu: Vcpu, mfn: number): number => {
  const at = vcpu.kernelTable * 4096;
  const { memory } = machine;
  const oldLo = memory.view.getInt32(at, true);
  const oldHi = memory.view.getInt32(at + 4, true);
  const [lo, hi] = [addressLo(mfn) | BASE_POINTER, addressHi(mfn)];
  const isOther = entryChanged(oldLo, oldHi, lo, hi);
  const answer = isOther ? getPageAndType(machine, vcpu, mfn, PGT.l3, vcpu.domain.domid) : 0;
  if (answer !== 0) return answer;
  if (lo !== oldLo || hi !== oldHi) memory.writeHalves(at, lo, hi);
  if (isOther) deferPutFromTableEntry(vcpu, oldLo, oldHi, vcpu.kernelTable);
  dropLdtPages(machine, vcpu);
  flushLocal(machine, vcpu);
  return 0;
};

/** Frame 0: none. Answers as newGuestCr3. */
export const newUserTable = (machine: Machine, vcpu: Vcpu, mfn: number): number => {
  const old = vcpu.userTable;
  if (old === mfn) return 0;
  if (mfn !== 0) {
    const answer = getPageAndType(machine, vcpu, mfn, PGT.l4, vcpu.domain.domid);
    if (answer !== 0) return answer;
    if (isM2pStrict(vcpu)) zapM2pSlot(machine, mfn);
  }
  vcpu.userTable = mfn;
  return putOld(machine, vcpu, old);
};
