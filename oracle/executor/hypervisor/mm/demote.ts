/** Giving back what the entries of a page table hold, because nobody relies on it any more. */

import { ERRNO } from '#spec/abi/errno.ts';
import { WORK } from '#spec/work.ts';
import { PGT } from '../frame_table.ts';
import { answersAlike, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { firstXenSlot, unadjustCompatLo } from './compat_rules.ts';
import { frameOf, PTE } from './entry.ts';
import { putPageFromL1e } from './l1_entry.ts';
import { ENTRIES, nextPresent, previousPresent } from './present_entries.ts';
import { isXenSlot } from './promote.ts';
import { putPageFromTableEntry } from './table_entry.ts';

/**
 * The entries below `nrValidated`, last first; with `partialSet` the one at it too. An L1 always gives back all. Answers 0, or -ERESTART when
 * an upcall waits: L2 and L3 ask after each slot but the last (clause page_type/preempted-end).
 */
export const demote = (machine: Machine, vcpu: Vcpu, table: number, type: number): number => {
  const { frames, memory } = machine;
  const { view } = memory;
  if (type === PGT.l1) {
    machine.work.spend(WORK.slot, ENTRIES);
    for (let slot = nextPresent(memory, table, 0); slot < ENTRIES; slot = nextPresent(memory, table, slot + 1)) {
      const at = table * 4096 + 8 * slot;
      putPageFromL1e(machine, vcpu, view.getInt32(at, true), view.getInt32(at + 4, true));
    }
    return 0;
  }
  const owner = machine.domainById(frames.owner[table]);
  const xenSlot = firstXenSlot(owner, type);
  const pae = owner?.compat === true && type === PGT.l3;
  let partialSet = frames.partialSet[table] !== 0;
  const interruptAt = (slot: number, isSet: boolean): number => {
    frames.nrValidated[table] = slot;
    frames.partialSet[table] = isSet ? 1 : 0;
    return -ERRNO.ERESTART;
  };
  const last = frames.nrValidated[table] - (partialSet ? 0 : 1);
  if (type === PGT.l4) machine.work.spend(WORK.slot, last + 1);
  for (let slot = last; slot >= 0; slot--, partialSet = false) {
    if (type === PGT.l4 && isXenSlot(slot)) continue;
    if (type !== PGT.l4) machine.work.spend(WORK.slot);
    const at = table * 4096 + 8 * slot;
    if (slot < xenSlot) {
      const [lo, hi] = [view.getInt32(at, true), view.getInt32(at + 4, true)];
      const answer = putPageFromTableEntry(machine, vcpu, lo, hi, table, partialSet);
      if (answer !== 0) return interruptAt(slot, true);
      if (pae && (lo & PTE.PRESENT) !== 0 && frameOf(lo, hi) !== table) memory.writeHalves(at, unadjustCompatLo(lo), hi);
    }
    if (type !== PGT.l4 && slot > 0) {
      if (shouldPreempt(machine, vcpu)) return interruptAt(slot, false);
      if (!answersAlike(machine)) continue;
      const present = previousPresent(memory, table, slot - 1);
      // Slot 0 asks nothing.
      const skipped = slot - Math.max(present + 1, 1);
      machine.questions += skipped;
      if (skipped > 0) machine.work.ask();
      slot = present + 1;
    }
  }
  return 0;
};
