/** The initial page tables, in the pages and the order in which Xen's builder takes them. */
import { BadInput, NotModelled } from '#spec/failure.ts';
import { PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { VirtualLayout } from './layout.ts';
import { installXenSlots } from './m2p.ts';

/** Entry flags as halves. Bit 52 marks pages that belong to the guest kernel. */
const LEAF = { lo: 0x27, hi: 0x00100000 } as const;
const LEAF_DIRTY = { lo: 0x67, hi: 0x00100000 } as const;
const LEAF_READ_ONLY = { lo: 0x25, hi: 0x00100000 } as const;
export const TABLE = { lo: 0x67, hi: 0 } as const;
type Flags = { readonly lo: number; readonly hi: number };

const PAGE = 4096n;

/** Index into the table of a level (1 leaf, 4 top). */
export const index = (address: bigint, level: number): number => Number((address >> BigInt(3 + 9 * level)) & 511n);

export const writeEntry = (machine: Machine, table: number, slot: number, mfn: number, flags: Flags): void => {
  machine.memory.writeHalves(table * 4096 + 8 * slot, (mfn << 12) | flags.lo, (mfn >>> 20) | flags.hi);
};

const readFrame = (machine: Machine, table: number, slot: number): number => {
  const at = table * 4096 + 8 * slot;
  const lo = machine.memory.read32(at);
  return (lo & 1) === 0 ? 0 : (lo >>> 12) + (machine.memory.read32(at + 4) & 0xfffff) * 0x100000;
};

export const markTable = (machine: Machine, mfn: number, type: number): void => {
  machine.frames.type[mfn] = type;
  machine.frames.typeRefs[mfn] = 1;
  machine.frames.flags[mfn] |= PGF.validated;
};

/** Map [start, end) onto the domain's pages from `first` up. Answers the frame of the top-level table. */
export const buildPageTables = (machine: Machine, layout: VirtualLayout, first: number): number => {
  const { frames } = machine;
  const tableFirst = first + Number((layout.pageTables - layout.start) / PAGE);
  let next = tableFirst;
  const take = (type: number): number => {
    markTable(machine, next, type);
    return next++;
  };
  const l4 = take(PGT.l4);
  installXenSlots(machine, l4);
  let l3 = 0;
  let l2 = 0;
  let l1 = 0;
  for (let address = layout.start, mfn = first; address < layout.end; address += PAGE, mfn++) {
    if (l1 === 0 || index(address, 1) === 0) {
      l1 = take(PGT.l1);
      if (l2 === 0 || index(address, 2) === 0) {
        l2 = take(PGT.l2);
        if (l3 === 0 || index(address, 3) === 0) {
          l3 = take(PGT.l3);
          writeEntry(machine, l4, index(address, 4), l3, TABLE);
        }
        writeEntry(machine, l3, index(address, 3), l2, TABLE);
      }
      writeEntry(machine, l2, index(address, 2), l1, TABLE);
    }
    const isTable = mfn >= tableFirst && mfn < tableFirst + layout.pageTableCount;
    writeEntry(machine, l1, index(address, 1), mfn, isTable ? LEAF_READ_ONLY : LEAF);
    frames.refs[mfn] = isTable ? 3 : 2;
    if (!isTable) markTable(machine, mfn, PGT.writable);
  }
  frames.refs[l4] = 4;
  frames.typeRefs[l4] = 2;
  frames.flags[l4] |= PGF.pinned;
  return l4;
};

/** Frame that a mapped address leads to. */
export const frameAt = (machine: Machine, l4: number, address: bigint): number => {
  let table = l4;
  for (let level = 4; level >= 1; level--) table = readFrame(machine, table, index(address, level));
  return table;
};

/** Set the dirty bit of the leaf of every page of [start, end): Xen has written it through the mapping. */
export const markDirty = (machine: Machine, l4: number, start: bigint, end: bigint): void => {
  for (let address = (start / PAGE) * PAGE; address < end; address += PAGE) {
    let table = l4;
    for (let level = 4; level > 1; level--) table = readFrame(machine, table, index(address, level));
    const slot = index(address, 1);
    const at = table * 4096 + 8 * slot;
    machine.memory.write32(at, machine.memory.read32(at) | 0x40);
  }
};

/**
 * Tables and pages for a p2m outside the initial mapping, at a page-aligned base. They are the pages from `from` up of the domain whose
 * memory of `pages` starts at frame `first`, in the order taken. Answers how many were taken. Throws BadInput when they run out.
 */
export const mapP2m = (machine: Machine, l4: number, base: bigint, bytes: bigint, first: number, from: number, pages: number): number => {
  const { frames } = machine;
  let next = first + from;
  const end = base + bytes;
  for (let address = base; address < end; address += PAGE) {
    // Three more than the rest of the list: that many tables may come before its next page.
    const wanted = next - first + Number((end - address + PAGE - 1n) / PAGE) + 3;
    if (wanted > pages) throw new BadInput('ELF image: no room for the P->M table');
    let table = l4;
    for (let level = 4; level > 1; level--) {
      const slot = index(address, level);
      const found = readFrame(machine, table, slot);
      if (found === 0) {
        if (level === 2 && address % 0x200000n === 0n && end >= address + 0x200000n) throw new NotModelled('domain_builder/p2m_superpage');
        markTable(machine, next, level === 4 ? PGT.l3 : level === 3 ? PGT.l2 : PGT.l1);
        frames.refs[next] = 2;
        writeEntry(machine, table, slot, next, TABLE);
      }
      table = found === 0 ? next++ : found;
    }
    writeEntry(machine, table, index(address, 1), next, LEAF_DIRTY);
    markTable(machine, next, PGT.writable);
    frames.refs[next] = 2;
    next++;
  }
  return next - first - from;
};
