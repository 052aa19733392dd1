/** The initial page tables of a 32-bit domain: the guest's three levels under an L4 of Xen's, one for each vCPU. */
import { PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { fillCompatSlots } from '../mm/compat_slots.ts';
import type { VirtualLayout } from './layout.ts';
import { allocateXenheap, installXenSlots } from './m2p.ts';
import { index, markTable, TABLE, writeEntry } from './page_tables.ts';

/** Pages of the kernel are without U: it runs in ring 1. */
const LEAF = { lo: 0x23, hi: 0 } as const;
const LEAF_READ_ONLY = { lo: 0x21, hi: 0 } as const;
const PAGE = 4096n;
const L3_ENTRIES = 4;

/** An L4 of Xen's own, for one vCPU. It counts as a page table, and nobody's. */
export const allocateCompatL4 = (machine: Machine): number => {
  const l4 = allocateXenheap(machine);
  machine.memory.fill(l4 * 4096, 4096, 0);
  markTable(machine, l4, PGT.l4);
  installXenSlots(machine, l4);
  return l4;
};

/** Map [start, end) onto the domain's pages from `first` up, below `l4`. The tables are taken in Xen's order: the L3 is the first. */
export const buildCompatTables = (machine: Machine, layout: VirtualLayout, first: number, l4: number, hypervisor: number): void => {
  const { frames } = machine;
  const tableFirst = first + Number((layout.pageTables - layout.start) / PAGE);
  let next = tableFirst;
  const take = (type: number): number => {
    markTable(machine, next, type);
    return next++;
  };
  const l3 = take(PGT.l3);
  writeEntry(machine, l4, 0, l3, TABLE);
  const l2s = new Array<number>(L3_ENTRIES).fill(0);
  const takeL2 = (slot: number): void => {
    l2s[slot] = take(PGT.l2);
    writeEntry(machine, l3, slot, l2s[slot]!, TABLE);
  };
  let l1 = 0;
  for (let address = layout.start, mfn = first; address < layout.end; address += PAGE, mfn++) {
    const slot = index(address, 3);
    if (l1 === 0 || index(address, 1) === 0) {
      l1 = take(PGT.l1);
      if (l2s[slot] === 0) takeL2(slot);
      writeEntry(machine, l2s[slot]!, index(address, 2), l1, TABLE);
    }
    const isTable = mfn >= tableFirst && mfn < tableFirst + layout.pageTableCount;
    writeEntry(machine, l1, index(address, 1), mfn, isTable ? LEAF_READ_ONLY : LEAF);
    frames.refs[mfn] = isTable ? 3 : 2;
    if (!isTable) markTable(machine, mfn, PGT.writable);
  }
  for (let slot = 0; slot < L3_ENTRIES; slot++) if (l2s[slot] === 0) takeL2(slot);
  const top = l2s[L3_ENTRIES - 1]!;
  frames.type[top] = PGT.xen_l2;
  fillCompatSlots(machine, top, hypervisor);
  frames.refs[l3] = 4;
  frames.typeRefs[l3] = 2;
  frames.flags[l3] |= PGF.pinned;
};
