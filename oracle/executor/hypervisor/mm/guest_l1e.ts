/** Finding the L1 entry that maps an address, as Xen does through its linear mapping of the tables in use. */
import { accessOk } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { frameOf, PTE, slot1, slot2, slot3, slot4 } from './entry.ts';

/** Frame of the table below the entry, whose A bit the CPU sets as it passes; -1 when it is not present or lies outside RAM. */
const descend = (machine: Machine, table: number, slot: number): number => {
  const { memory } = machine;
  const at = table * 4096 + 8 * slot;
  const lo = memory.view.getInt32(at, true);
  if ((lo & PTE.PRESENT) === 0) return -1;
  const next = frameOf(lo, memory.view.getInt32(at + 4, true));
  if (next >= memory.frames) return -1;
  if ((lo & PTE.ACCESSED) === 0) memory.writeEntryFlags(at, lo | PTE.ACCESSED);
  return next;
};

/** Machine address of the L2 entry for an address under the table `root`; -1 when the way to it is not there. */
const l2Entry = (machine: Machine, root: number, lo: number, hi: number): number => {
  if (!accessOk(hi)) return -1;
  const l3 = descend(machine, root, slot4(hi));
  const l2 = l3 < 0 ? -1 : descend(machine, l3, slot3(lo, hi));
  return l2 < 0 ? -1 : l2 * 4096 + 8 * slot2(lo);
};

/** Machine address of the L1 entry, -1 when there is none. Its table need not be one of the caller's, nor an L1. */
export const mapGuestL1e = (machine: Machine, root: number, lo: number, hi: number): number => {
  const at = l2Entry(machine, root, lo, hi);
  if (at < 0) return -1;
  const { view } = machine.memory;
  const entry = view.getInt32(at, true);
  if ((entry & (PTE.PRESENT | PTE.PAT)) !== PTE.PRESENT) return -1;
  const l1 = frameOf(entry, view.getInt32(at + 4, true));
  return l1 >= machine.memory.frames ? -1 : l1 * 4096 + 8 * slot1(lo);
};

/** The same for an entry that is to be read through the mapping: the L2 entry's A bit is set as well. */
export const readableGuestL1e = (machine: Machine, root: number, lo: number, hi: number): number => {
  const at = l2Entry(machine, root, lo, hi);
  if (at < 0) return -1;
  const l1 = descend(machine, at >>> 12, (at & 4095) >>> 3);
  return l1 < 0 ? -1 : l1 * 4096 + 8 * slot1(lo);
};
