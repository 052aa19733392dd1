/** Giving back what the entries of a page table hold, because nobody relies on it any more. */
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { putPageFromL1e } from './l1_entry.ts';
import { isXenSlot } from './promote.ts';
import { putPageFromTableEntry } from './table_entry.ts';

const ENTRIES = 512;

/** The entries below `nrValidated`, last first; with `partialSet` the one at it too. An L1 always gives back all. */
export const demote = (machine: Machine, vcpu: Vcpu, table: number, type: number): void => {
  const { frames, memory } = machine;
  const { view } = memory;
  if (type === PGT.l1) {
    for (let at = table * 4096, end = at + 8 * ENTRIES; at < end; at += 8) {
      putPageFromL1e(machine, vcpu, view.getInt32(at, true), view.getInt32(at + 4, true));
    }
    return;
  }
  let partialSet = frames.partialSet[table] !== 0;
  for (let slot = frames.nrValidated[table] - (partialSet ? 0 : 1); slot >= 0; slot--, partialSet = false) {
    if (type === PGT.l4 && isXenSlot(slot)) continue;
    const at = table * 4096 + 8 * slot;
    putPageFromTableEntry(machine, vcpu, view.getInt32(at, true), view.getInt32(at + 4, true), table, partialSet);
  }
};
