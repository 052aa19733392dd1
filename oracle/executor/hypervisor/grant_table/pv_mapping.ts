/** The page table entry of a grant mapping, which the caller names by an address or by the entry's machine address. */
import { GNTMAP } from '#spec/abi/grant_table.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { addressHi, addressLo, frameOf, frameOfAddress, PTE, PTE_HIGH } from '../mm/entry.ts';
import { mapGuestL1e } from '../mm/guest_l1e.ts';
import { adjustL1Hi, adjustL1Lo, putPageFromL1e } from '../mm/l1_entry.ts';
import { ownsPage } from '../mm/page.ts';
import { isLockable } from '../mm/page_type.ts';
import type { Vcpu } from '../vcpu.ts';

/** Machine address of the entry in an L1 table of the caller's domain; -1 when it is not one. */
const findEntry = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, flags: number): number => {
  const { frames } = machine;
  let table: number;
  let at: number;
  if ((flags & GNTMAP.contains_pte) !== 0) {
    table = frameOfAddress(lo, hi);
    if ((lo & 7) !== 0 || table >= frames.count) return -1;
    at = table * 4096 + (lo & 0xfff);
  } else {
    at = mapGuestL1e(machine, vcpu.kernelTable, lo, hi);
    if (at < 0) return -1;
    table = at >>> 12;
  }
  const usable = ownsPage(frames, table, vcpu.domain.domid) && isLockable(machine, table) && frames.type[table] === PGT.l1;
  return usable ? at : -1;
};

const entryFlags = (flags: number): number =>
  PTE.PRESENT |
  PTE.ACCESSED |
  PTE.DIRTY |
  ((flags & GNTMAP.application_map) !== 0 ? PTE.USER : 0) |
  ((flags & GNTMAP.readonly) !== 0 ? 0 : PTE.RW) |
  (((flags >>> GNTMAP.guest_avail_shift) << PTE.AVAIL_SHIFT) & PTE.AVAIL);

/** Put the mapping of `mfn` in place, and give back what the entry held before. False when there is no such entry. */
export const createMapping = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, mfn: number, flags: number): boolean => {
  const at = findEntry(machine, vcpu, lo, hi, flags);
  if (at < 0) return false;
  const { view } = machine.memory;
  const oldLo = view.getInt32(at, true);
  const oldHi = view.getInt32(at + 4, true);
  const wanted = entryFlags(flags);
  const wantedHi = addressHi(mfn) | PTE_HIGH.NX;
  if (vcpu.domain.compat) machine.memory.writeHalves(at, addressLo(mfn) | wanted, wantedHi);
  else machine.memory.writeHalves(at, addressLo(mfn) | adjustL1Lo(wanted, wantedHi), adjustL1Hi(wanted, wantedHi));
  putPageFromL1e(machine, vcpu, oldLo, oldHi);
  return true;
};

/**
 * Take the entry of a mapping away, if it maps `mfn` with the right to write that `flags` say. What it held is the grant's to give back. With
 * a new address the entry of that one moves there, with what it holds; it is lost if the mapping is not there.
 */
export const replaceMapping = (
  machine: Machine,
  vcpu: Vcpu,
  lo: number,
  hi: number,
  mfn: number,
  newLo: number,
  newHi: number,
  flags: number,
): boolean => {
  const { view } = machine.memory;
  const moves = (newLo | newHi) !== 0;
  let movedLo = 0;
  let movedHi = 0;
  if (moves) {
    if ((flags & GNTMAP.contains_pte) !== 0) return false;
    const from = findEntry(machine, vcpu, newLo, newHi, 0);
    if (from < 0) return false;
    movedLo = view.getInt32(from, true);
    movedHi = view.getInt32(from + 4, true);
    machine.memory.writeHalves(from, 0, 0);
  }
  const at = findEntry(machine, vcpu, lo, hi, flags);
  const fits = at >= 0 && isMapping(view.getInt32(at, true), view.getInt32(at + 4, true), mfn, flags);
  if (fits) machine.memory.writeHalves(at, movedLo, movedHi);
  else if (moves) putPageFromL1e(machine, vcpu, movedLo, movedHi);
  return fits;
};

const isMapping = (entryLo: number, entryHi: number, mfn: number, flags: number): boolean =>
  frameOf(entryLo, entryHi) === mfn && ((entryLo ^ entryFlags(flags)) & (PTE.PRESENT | PTE.RW)) === 0;
