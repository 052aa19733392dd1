/** The LDT of a vCPU: its pages get their type when the processor first looks into them, through the kernel's page tables of that moment. */
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { frameOf, PTE } from './entry.ts';
import { readableGuestL1e } from './guest_l1e.ts';
import { getPageAndType, putPageAndType } from './page_type.ts';

/** Give back the pages that are in place. Answers whether there were any. */
export const dropLdtPages = (machine: Machine, vcpu: Vcpu): boolean => {
  const { ldt } = vcpu.cpu.tables;
  let dropped = false;
  for (let page = 0; page < ldt.length; page++) {
    if (ldt[page] === 0) continue;
    putPageAndType(machine, vcpu, ldt[page]);
    ldt[page] = 0;
    dropped = true;
  }
  return dropped;
};

/** Nothing happens when it is the present one. Without entries there is no address either. Answers whether pages of the old one were in place. */
export const changeLdt = (machine: Machine, vcpu: Vcpu, addressLo: number, addressHi: number, entries: number): boolean => {
  const { tables } = vcpu.cpu;
  const [lo, hi] = entries === 0 ? [0, 0] : [addressLo, addressHi];
  if (tables.ldtEntries === entries && tables.ldtLo === lo && tables.ldtHi === hi) return false;
  const dropped = dropLdtPages(machine, vcpu);
  tables.ldtLo = lo;
  tables.ldtHi = hi;
  tables.ldtEntries = entries;
  vcpu.cpu.xen.showTables(vcpu.id, entries !== 0);
  return dropped;
};

/** Put one of its pages in place; false when the kernel does not map it, or to a frame that cannot hold descriptors. */
export const mapLdtPage = (machine: Machine, vcpu: Vcpu, page: number): boolean => {
  const { tables } = vcpu.cpu;
  const lo = (tables.ldtLo >>> 0) + 4096 * page;
  const at = readableGuestL1e(machine, vcpu.kernelTable, lo | 0, lo > 0xffffffff ? (tables.ldtHi + 1) | 0 : tables.ldtHi);
  if (at < 0) return false;
  const { view } = machine.memory;
  const entry = view.getInt32(at, true);
  if ((entry & PTE.PRESENT) === 0) return false;
  const mfn = frameOf(entry, view.getInt32(at + 4, true));
  if (getPageAndType(machine, vcpu, mfn, PGT.seg_desc, vcpu.domain.domid) !== 0) return false;
  tables.ldt[page] = mfn;
  return true;
};
