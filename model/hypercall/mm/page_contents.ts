/** MMUEXT_CLEAR_PAGE and MMUEXT_COPY_PAGE: work on whole pages by frame number. */
import { DOMID } from '#spec/abi/xen.ts';
import { cite } from '../../journal.ts';
import { setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { clearPage as clearFrame, readPage, writePage } from '../../memory/access.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { getPageAndType, putPageAndType } from '../../page_type/references.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';

/** Write to a page of `domid` that is, for the moment, used as writable; null when it cannot be. */
const write = (machine: Machine, domid: number, mfn: number, change: (machine: Machine) => Machine): Machine | null => {
  if (domid === DOMID.IO) return null;
  const used = getPageAndType(machine, domid, mfn, 'writable');
  return used.errno ? null : putPageAndType(change(used.machine), mfn);
};

export const clearPage = (machine: Machine, domid: number, mfn: number): Verdict => {
  const cleared = write(machine, domid, mfn, (m) => setMemory(m, clearFrame(m.memory, mfn)));
  return cleared ? allow(cite(cleared, 'mmu/clear_page-done')) : refuse(machine, 'EINVAL', 'mmu/clear_page-page');
};

export const copyPage = (machine: Machine, domid: number, destination: number, source: number): Verdict => {
  if (domid === DOMID.IO || ownerOf(machine, source) !== domid) return refuse(machine, 'EINVAL', 'mmu/copy_page-source');
  const copied = write(machine, domid, destination, (m) => setMemory(m, writePage(m.memory, destination, readPage(m.memory, source))));
  return copied ? allow(cite(copied, 'mmu/copy_page-done')) : refuse(machine, 'EINVAL', 'mmu/copy_page-destination');
};
