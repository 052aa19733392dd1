/** Writable page tables: a guest's store to its own L1 table, mapped read-only, is checked and carried out by Xen. */
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { frameOf, PTE } from './entry.ts';
import { readableGuestL1e } from './guest_l1e.ts';
import { adjustL1Hi, adjustL1Lo, getPageFromL1e, putPageFromL1e } from './l1_entry.ts';
import { ownsPage } from './page.ts';
import { isLockable } from './page_type.ts';

/**
 * Frame of the L1 table that a kernel's write to `hi:lo` meant, when the fault is one for Xen to mend: the address is mapped read-only
 * and leads to a table of the domain. -1 otherwise: the fault is the guest's.
 */
export const ptwrTable = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const at = readableGuestL1e(machine, vcpu.kernelTable, lo, hi);
  if (at < 0) return -1;
  const { view } = machine.memory;
  const entry = view.getInt32(at, true);
  if ((entry & (PTE.PRESENT | PTE.RW)) !== PTE.PRESENT) return -1;
  const table = frameOf(entry, view.getInt32(at + 4, true));
  const { frames } = machine;
  if (!ownsPage(frames, table, vcpu.domain.domid) || !isLockable(machine, table) || frames.type[table] !== PGT.l1) return -1;
  return table;
};

/** Whether a store of `bytes` to machine address `at` can be carried out: naturally aligned, at most 8 bytes. */
export const ptwrFits = (at: number, bytes: number): boolean => bytes <= 8 && (bytes & (bytes - 1)) === 0 && (at & (bytes - 1)) === 0;

/**
 * Store `bytes` (1, 2, 4 or 8) of `lo`, `hi` at machine address `at` in an L1 table; the rest of the entry stays. False: the entry is not
 * allowed, nothing changed, and the guest gets its page fault. `exchanges`: for what was there, rather than over it.
 */
export const ptwrWrite = (machine: Machine, vcpu: Vcpu, at: number, bytes: number, lo: number, hi: number, exchanges = false): boolean => {
  const { memory } = machine;
  const entry = at & ~7;
  const oldLo = memory.view.getInt32(entry, true);
  const oldHi = memory.view.getInt32(entry + 4, true);
  let newLo = oldLo;
  let newHi = oldHi;
  if (bytes === 8) {
    newLo = lo | 0;
    newHi = hi | 0;
  } else {
    const shift = 8 * (at & 3);
    const mask = bytes === 4 ? -1 : ((1 << (8 * bytes)) - 1) << shift;
    const value = (lo << shift) & mask;
    if ((at & 4) === 0) newLo = (oldLo & ~mask) | value;
    else newHi = (oldHi & ~mask) | value;
  }
  if ((newLo & PTE.PRESENT) !== 0) {
    const { domid } = vcpu.domain;
    const flip = getPageFromL1e(machine, vcpu, newLo, newHi, domid, domid);
    if (flip < 0) {
      // Halves in the wrong order: the lower one is expected next.
      const upperHalf = bytes === 4 && (at & 4) !== 0 && !exchanges;
      if (!vcpu.domain.compat || !upperHalf) return false;
      newLo &= ~PTE.PRESENT;
    } else newLo ^= flip;
    if (!vcpu.domain.compat) {
      const kernelHi = adjustL1Hi(newLo, newHi);
      newLo = adjustL1Lo(newLo, newHi);
      newHi = kernelHi;
    }
  }
  memory.writeHalves(entry, newLo, newHi);
  putPageFromL1e(machine, vcpu, oldLo, oldHi);
  return true;
};
