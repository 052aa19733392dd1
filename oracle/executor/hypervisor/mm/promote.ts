/** Checking the contents of a frame that is to become a page table or a page of descriptors. */

import { ERRNO } from '#spec/abi/errno.ts';
import { VMASST_TYPE, XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import { PGT } from '../frame_table.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { checkDescriptorPage } from './descriptor.ts';
import { frameOf, PTE } from './entry.ts';
import { adjustL1Hi, adjustL1Lo, getPageFromL1e, putPageFromL1e } from './l1_entry.ts';
import { adjustTableLo, getPageFromTableEntry } from './table_entry.ts';
import { clearXenSlots, fillM2pSlot } from './xen_slots.ts';

const ENTRIES = 512;

/** Take the references of all present entries. Answers 0 or a negative errno; -ERESTART: interrupted, what was done stays. */
export const promote = (machine: Machine, vcpu: Vcpu, mfn: number, type: number): number => {
  if (type === PGT.l1) return promoteL1(machine, vcpu, mfn);
  if (type === PGT.seg_desc) return checkDescriptorPage(machine, mfn) ? 0 : -ERRNO.EINVAL;
  const answer = promoteTable(machine, vcpu, mfn, type);
  if (answer === 0 && type === PGT.l4) {
    clearXenSlots(machine, mfn);
    if (isM2pStrict(machine, mfn)) fillM2pSlot(machine, mfn);
  }
  return answer;
};

const isM2pStrict = (machine: Machine, l4: number): boolean => {
  const owner = machine.domainById(machine.frames.owner[l4])!;
  return (owner.vmAssistHigh & (1 << (VMASST_TYPE.m2p_strict - 32))) !== 0;
};

/** Entry by entry; a failure takes back what the earlier ones took. */
const promoteL1 = (machine: Machine, vcpu: Vcpu, table: number): number => {
  const { memory } = machine;
  const domid = machine.frames.owner[table];
  const start = table * 4096;
  for (let at = start; at < start + 8 * ENTRIES; at += 8) {
    const lo = memory.view.getInt32(at, true);
    if ((lo & PTE.PRESENT) === 0) continue;
    const hi = memory.view.getInt32(at + 4, true);
    const flip = getPageFromL1e(machine, vcpu, lo, hi, domid, domid);
    if (flip < 0) {
      for (let done = at - 8; done >= start; done -= 8) {
        putPageFromL1e(machine, vcpu, memory.view.getInt32(done, true), memory.view.getInt32(done + 4, true));
      }
      return flip;
    }
    const flipped = lo ^ flip;
    const newLo = adjustL1Lo(flipped, hi);
    const newHi = adjustL1Hi(flipped, hi);
    if (newLo !== lo || newHi !== hi) memory.writeHalves(at, newLo, newHi);
  }
  return 0;
};

/** Whether a slot of an L4 belongs to Xen. */
export const isXenSlot = (slot: number): boolean => slot >= XEN_L4_SLOTS.first && slot < XEN_L4_SLOTS.end;

/**
 * From where an earlier try stopped. A failure beyond the first slot leaves the table to `vcpu.oldGuestTable`. Before each slot but the first
 * Xen asks whether an upcall waits (clause page_type/preempted-validation); an L4 asks through the tables below it only.
 */
const promoteTable = (machine: Machine, vcpu: Vcpu, table: number, type: number): number => {
  const { frames, memory } = machine;
  let partialSet = frames.partialSet[table] !== 0;
  const start = frames.nrValidated[table];
  const retain = type !== PGT.l2;
  for (let slot = start; slot < ENTRIES; slot++, partialSet = false) {
    if (type === PGT.l4 && isXenSlot(slot)) continue;
    if (type !== PGT.l4 && slot > start && shouldPreempt(machine, vcpu)) return interruptAt(machine, table, slot, false);
    const at = table * 4096 + 8 * slot;
    const lo = memory.view.getInt32(at, true);
    if ((lo & PTE.PRESENT) === 0) continue;
    const hi = memory.view.getInt32(at + 4, true);
    const answer = getPageFromTableEntry(machine, vcpu, lo, hi, table, type, { partialSet, retain });
    if (answer === -ERRNO.ERESTART) return interruptAt(machine, table, slot, true);
    if (answer !== 0) {
      if (slot > 0) stopAt(machine, vcpu, table, slot, partialSet || vcpu.oldGuestTable === frameOf(lo, hi));
      return answer;
    }
    const newLo = adjustTableLo(lo, type);
    if (newLo !== lo) memory.writeHalves(at, newLo, hi);
  }
  return 0;
};

/** The check goes on at `slot` when somebody asks for the type again. `partialSet`: the entry there holds its general reference already. */
const interruptAt = (machine: Machine, table: number, slot: number, partialSet: boolean): number => {
  machine.frames.nrValidated[table] = slot;
  machine.frames.partialSet[table] = partialSet ? 1 : 0;
  return -ERRNO.ERESTART;
};

/** `partialSet`: the entry at `slot` keeps its general reference, because the table it leads to stopped half-way itself. */
const stopAt = (machine: Machine, vcpu: Vcpu, table: number, slot: number, partialSet: boolean): void => {
  machine.frames.nrValidated[table] = slot;
  machine.frames.partialSet[table] = partialSet ? 1 : 0;
  vcpu.oldGuestTable = table;
  vcpu.oldGuestTablePartial = true;
  vcpu.oldGuestPtpg = -1;
};
