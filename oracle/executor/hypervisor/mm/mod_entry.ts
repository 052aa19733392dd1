/** Changing one entry of a page table in use. Each answers 0 or a negative errno; on error the entry is as before. */
import { ERRNO } from '#spec/abi/errno.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { adjustCompatLo, firstXenSlot, hasBadCompatL3Flags, isCompat, XEN_L2_SLOT } from './compat_rules.ts';
import { entryChanged, PTE } from './entry.ts';
import { adjustL1Hi, adjustL1Lo, getPageFromL1e, hasBadL1Flags, putPageFromL1e } from './l1_entry.ts';
import { isXenSlot } from './promote.ts';
import { adjustTableLo, deferPutFromTableEntry, getPageFromTableEntry, hasBadTableFlags } from './table_entry.ts';

/** Store an entry; `preserve`: A and D that are set stay set. */
const store = (machine: Machine, at: number, lo: number, hi: number, preserve: boolean): void => {
  const { memory } = machine;
  const oldLo = memory.view.getInt32(at, true);
  const newLo = preserve ? lo | (oldLo & (PTE.ACCESSED | PTE.DIRTY)) : lo;
  // What is there already need not be written: that would void all cached translations.
  if (newLo !== oldLo || hi !== memory.view.getInt32(at + 4, true)) memory.writeHalves(at, newLo, hi);
};

/** `at`: machine address of the entry; `tableOwner`: owner of its table; `pgOwner`: of the page to be mapped. */
export const modL1Entry = (
  machine: Machine,
  vcpu: Vcpu,
  at: number,
  lo: number,
  hi: number,
  preserve: boolean,
  tableOwner: number,
  pgOwner: number,
): number => {
  const { view } = machine.memory;
  const oldLo = view.getInt32(at, true);
  const oldHi = view.getInt32(at + 4, true);
  if ((lo & PTE.PRESENT) === 0) {
    store(machine, at, lo, hi, preserve);
    putPageFromL1e(machine, vcpu, oldLo, oldHi);
    return 0;
  }
  if (hasBadL1Flags(machine, tableOwner, lo)) return -ERRNO.EINVAL;
  const compat = isCompat(machine, tableOwner);
  const newLo = compat ? lo : adjustL1Lo(lo, hi);
  const newHi = compat ? hi : adjustL1Hi(lo, hi);
  if (!entryChanged(oldLo, oldHi, newLo, newHi)) {
    store(machine, at, newLo, newHi, preserve);
    return 0;
  }
  const flip = getPageFromL1e(machine, vcpu, newLo, newHi, tableOwner, pgOwner);
  if (flip < 0) return flip;
  store(machine, at, newLo ^ flip, newHi, preserve);
  putPageFromL1e(machine, vcpu, oldLo, oldHi);
  return 0;
};

/** An entry of an L2, L3 or L4 table. What the old one held is dropped later (vcpu.oldGuestTable). */
export const modTableEntry = (
  machine: Machine,
  vcpu: Vcpu,
  at: number,
  type: number,
  lo: number,
  hi: number,
  preserve: boolean,
): number => {
  const table = at >>> 12;
  if (type === PGT.l4 && isXenSlot((at & 4095) >>> 3)) return -ERRNO.EINVAL;
  const compat = vcpu.domain.compat;
  if (compat) {
    const slot = (at & 4095) >>> 3;
    if (type === PGT.l3 && slot >= XEN_L2_SLOT) return -ERRNO.EINVAL;
    if (slot >= firstXenSlot(vcpu.domain, type)) return -ERRNO.EPERM;
  }
  const { view } = machine.memory;
  const oldLo = view.getInt32(at, true);
  const oldHi = view.getInt32(at + 4, true);
  let newLo = lo;
  if ((lo & PTE.PRESENT) !== 0) {
    if (hasBadTableFlags(lo) || (compat && type === PGT.l3 && hasBadCompatL3Flags(hi))) return -ERRNO.EINVAL;
    newLo = compat ? adjustCompatLo(lo, type) : adjustTableLo(lo, type);
    if (!entryChanged(oldLo, oldHi, newLo, hi)) {
      store(machine, at, newLo, hi, preserve);
      return 0;
    }
    const answer = getPageFromTableEntry(machine, vcpu, newLo, hi, table, type);
    if (answer < 0) return answer;
  }
  store(machine, at, newLo, hi, preserve);
  deferPutFromTableEntry(vcpu, oldLo, oldHi, table);
  return 0;
};
