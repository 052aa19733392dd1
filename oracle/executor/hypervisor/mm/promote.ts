/** Checking the contents of a frame that is to become a page table or a page of descriptors. */

import { ERRNO } from '#spec/abi/errno.ts';
import { VMASST_TYPE, XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { PGT } from '../frame_table.ts';
import { answersAlike, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import {
  adjustCompatLo,
  COMPAT_L3_ENTRIES,
  firstXenSlot,
  hasBadCompatL3Flags,
  isCompat,
  unadjustCompatLo,
  XEN_L2_SLOT,
} from './compat_rules.ts';
import { fillCompatSlots } from './compat_slots.ts';
import { checkDescriptorPage } from './descriptor.ts';
import { frameOf, PTE } from './entry.ts';
import { adjustL1Hi, adjustL1Lo, getPageFromL1e, putPageFromL1e } from './l1_entry.ts';
import { getPageAndType, type Hold } from './page_type.ts';
import { ENTRIES, nextPresent } from './present_entries.ts';
import { adjustTableLo, getPageFromTableEntry, hasBadTableFlags } from './table_entry.ts';
import { clearXenSlots, fillM2pSlot } from './xen_slots.ts';

/** Take the references of all present entries. Answers 0 or a negative errno; -ERESTART: interrupted, what was done stays. */
export const promote = (machine: Machine, vcpu: Vcpu, mfn: number, type: number): number => {
  if (type === PGT.l1) return promoteL1(machine, vcpu, mfn);
  if (type === PGT.seg_desc) machine.work.spend(WORK.descriptor, ENTRIES);
  if (type === PGT.seg_desc) return checkDescriptorPage(machine, mfn) ? 0 : -ERRNO.EINVAL;
  const answer = promoteTable(machine, vcpu, mfn, type);
  if (answer === 0 && type === PGT.xen_l2) fillCompatSlots(machine, mfn, ownerOf(machine, mfn)!.hypervisorStart);
  if (answer === 0 && type === PGT.l4) {
    clearXenSlots(machine, mfn);
    if (isM2pStrict(machine, mfn)) fillM2pSlot(machine, mfn);
  }
  return answer;
};

const ownerOf = (machine: Machine, mfn: number): Domain | undefined => machine.domainById(machine.frames.owner[mfn]);

const isM2pStrict = (machine: Machine, l4: number): boolean => {
  const owner = machine.domainById(machine.frames.owner[l4])!;
  return (owner.vmAssistHigh & (1 << (VMASST_TYPE.m2p_strict - 32))) !== 0;
};

/** Entry by entry; a failure takes back what the earlier ones took. */
const promoteL1 = (machine: Machine, vcpu: Vcpu, table: number): number => {
  const { memory } = machine;
  machine.work.spend(WORK.slot, ENTRIES);
  const domid = machine.frames.owner[table];
  const start = table * 4096;
  const compat = isCompat(machine, domid);
  for (let slot = nextPresent(memory, table, 0); slot < ENTRIES; slot = nextPresent(memory, table, slot + 1)) {
    const at = start + 8 * slot;
    const lo = memory.view.getInt32(at, true);
    const hi = memory.view.getInt32(at + 4, true);
    const flip = getPageFromL1e(machine, vcpu, lo, hi, domid, domid);
    if (flip < 0) {
      machine.work.spend(WORK.slot, slot);
      for (let done = at - 8; done >= start; done -= 8) {
        putPageFromL1e(machine, vcpu, memory.view.getInt32(done, true), memory.view.getInt32(done + 4, true));
      }
      return flip;
    }
    const flipped = lo ^ flip;
    const newLo = compat ? flipped : adjustL1Lo(flipped, hi);
    const newHi = compat ? hi : adjustL1Hi(flipped, hi);
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
  const retain = type !== PGT.l2 && type !== PGT.xen_l2;
  const owner = ownerOf(machine, table);
  const compat = owner?.compat === true;
  const pae = compat && type === PGT.l3;
  const end = pae ? COMPAT_L3_ENTRIES : ENTRIES;
  if (pae) memory.fill(table * 4096 + 8 * end, 8 * (ENTRIES - end), 0);
  const xenSlot = firstXenSlot(owner, type);
  if (type === PGT.l4) machine.work.spend(WORK.slot, ENTRIES - start);
  for (let slot = start; slot < end; slot++, partialSet = false) {
    if (type === PGT.l4 && isXenSlot(slot)) continue;
    if (type !== PGT.l4 && slot > start && shouldPreempt(machine, vcpu)) return interruptAt(machine, table, slot, false);
    if (type !== PGT.l4) machine.work.spend(WORK.slot);
    if (slot >= xenSlot) continue;
    const at = table * 4096 + 8 * slot;
    const lo = memory.view.getInt32(at, true);
    const isXenL2 = pae && slot === XEN_L2_SLOT;
    if ((lo & PTE.PRESENT) === 0 && !isXenL2) {
      if (type === PGT.l4 || pae || slot === start || !answersAlike(machine)) continue;
      const present = nextPresent(memory, table, slot + 1);
      machine.questions += present - slot - 1;
      if (present > slot + 1) machine.work.ask();
      if (present > slot + 1) machine.work.spend(WORK.slot);
      slot = present - 1;
      continue;
    }
    const hi = memory.view.getInt32(at + 4, true);
    const answer = isXenL2
      ? takeXenL2(machine, vcpu, lo, hi, table, { partialSet, retain })
      : getPageFromTableEntry(machine, vcpu, lo, hi, table, type, { partialSet, retain });
    if (answer === -ERRNO.ERESTART) return interruptAt(machine, table, slot, true);
    if (answer !== 0) {
      if (slot > 0) stopAt(machine, vcpu, table, slot, partialSet || vcpu.oldGuestTable === frameOf(lo, hi));
      if (pae) unadjust(machine, table, slot);
      return answer;
    }
    const newLo = compat ? adjustCompatLo(lo, type) : adjustTableLo(lo, type);
    if (newLo !== lo) memory.writeHalves(at, newLo, hi);
  }
  return 0;
};

/** The L2 with Xen's slots must be there, and be used once. */
const takeXenL2 = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, table: number, hold: Hold): number => {
  const { frames } = machine;
  if ((lo & PTE.PRESENT) === 0 || hasBadTableFlags(lo) || hasBadCompatL3Flags(hi)) return -ERRNO.EINVAL;
  const mfn = frameOf(lo, hi);
  const answer = getPageAndType(machine, vcpu, mfn, PGT.xen_l2, frames.owner[table], hold);
  if (answer === 0 && frames.typeRefs[mfn] !== 1) throw new NotModelled('compat/shared_xen_l2');
  return answer;
};

/** The entries below `slot` are as the guest may have them again. */
const unadjust = (machine: Machine, table: number, slot: number): void => {
  const { view } = machine.memory;
  for (let at = table * 4096 + 8 * (slot - 1); at >= table * 4096; at -= 8)
    machine.memory.writeHalves(at, unadjustCompatLo(view.getInt32(at, true)), view.getInt32(at + 4, true));
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
