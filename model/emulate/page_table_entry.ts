/** One store of an emulated instruction to an entry of a page table. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import type { VcpuRef } from '#spec/event.ts';
import { PF } from '../cpu/x86/outcome.ts';
import { entryAt, type Place, writeEntry } from '../hypercall/mm/guest_l1e.ts';
import { cite } from '../journal.ts';
import { domainOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { getPageFromL1e, own, putPageFromL1e } from '../page_type/l1_entry.ts';
import { adjusted, isPresent, PTE } from '../page_type/pte.ts';
import { injectPageFault } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import { Word } from '../word/word.ts';

/** The read-only mapping through which the guest writes, and the table behind it. */
export type Target = { readonly mapping: Place; readonly table: number };

/** Fixed: the guest goes on. Not fixed: it gets its page fault. */
export type Attempt = { readonly machine: Machine; readonly fixed: boolean };

/** A read on the way failed: the guest's page fault. */
export const readFault = (machine: Machine, at: VcpuRef, address: Word): Machine =>
  returnToGuest(injectPageFault(cite(machine, 'emulation/ptwr-read_fault'), at, 0, address), at, 'sysret');

/** The same where the bytes of the instruction end, as 64-bit code has them. */
export const fetchFault = (machine: Machine, at: VcpuRef, address: Word): Machine =>
  returnToGuest(injectPageFault(cite(machine, 'emulation/ptwr-mode'), at, PF.FETCH, address), at, 'sysret');

/** One entry or an aligned part of it, in the page of the fault. */
export const mayWrite = ({ address, size }: { readonly address: Word; readonly size: number }, fault: Word): boolean =>
  size <= 8 && (address.lo & (size - 1)) === 0 && address.hi === fault.hi && (address.lo ^ fault.lo) >>> 12 === 0;

/** What is read through the guest's mapping marks it. */
export const accessed = (machine: Machine, mapping: Place): Machine => {
  const pte = entryAt(machine, mapping);
  return (pte.lo & PTE.A) !== 0 ? machine : writeEntry(machine, mapping, new Word(pte.hi, pte.lo | PTE.A));
};

/** compat/ptwr-upper_half: the lower half is to follow. */
const absent = (entry: Word): Word => new Word(entry.hi, entry.lo & ~PTE.P);

/** Take what the new entry maps, write it, give back what the old one held. Null: it is refused. */
export const storeEntry = (machine: Machine, domid: number, place: Place, wanted: Word, upperHalf = false): Machine | null => {
  const pv32 = domainOf(machine, domid).pv32 !== undefined;
  const old = entryAt(machine, place);
  if (!isPresent(wanted)) return putPageFromL1e(writeEntry(cite(machine, 'emulation/ptwr-cleared'), place, wanted), old);
  const taken = getPageFromL1e(machine, wanted, own(domid));
  if (taken.errno && pv32 && upperHalf)
    return putPageFromL1e(writeEntry(cite(taken.machine, 'compat/ptwr-upper_half'), place, absent(wanted)), old);
  if (taken.errno) return null;
  const entry = adjusted(new Word(wanted.hi, wanted.lo ^ taken.flip), 1, pv32);
  return putPageFromL1e(writeEntry(cite(taken.machine, 'emulation/ptwr-written'), place, entry), old);
};
