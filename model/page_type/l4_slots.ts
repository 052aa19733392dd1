/** Xen's own slots in every level 4 table. */
import { VMASST_TYPE, XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import { m2pSlot } from '../domain/m2p.ts';
import { cite } from '../journal.ts';
import { domainOf, setMemory } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord, writeWord } from '../memory/memory.ts';
import { isZero, ZERO } from '../word/word.ts';

/** Slots that belong to the guest. */
export const isGuestL4Slot = (slot: number): boolean => slot < XEN_L4_SLOTS.first || slot >= XEN_L4_SLOTS.end;

/** The domain keeps the machine-to-phys table out of its user address spaces. */
export const isM2pStrict = (machine: Machine, domid: number): boolean =>
  (domainOf(machine, domid).vmAssist & (1n << BigInt(VMASST_TYPE.m2p_strict))) !== 0n;

/** Overwrite what the guest had in Xen's slots (`page_type/l4-xen_slots`). */
export const initXenL4Slots = (machine: Machine, mfn: number, domid: number): Machine => {
  let { memory } = machine;
  for (let slot = XEN_L4_SLOTS.first; slot < XEN_L4_SLOTS.end; slot++) memory = writeWord(memory, mfn, slot, ZERO);
  if (isM2pStrict(machine, domid)) memory = writeWord(memory, mfn, XEN_L4_SLOTS.m2p, m2pSlot(machine.config));
  return cite(setMemory(machine, memory), 'page_type/l4-xen_slots');
};

/** Show the machine-to-phys table in an address space that lacks it. */
export const fillM2pSlot = (machine: Machine, mfn: number): Machine =>
  isZero(readWord(machine.memory, mfn, XEN_L4_SLOTS.m2p))
    ? cite(setMemory(machine, writeWord(machine.memory, mfn, XEN_L4_SLOTS.m2p, m2pSlot(machine.config))), 'page_type/l4-m2p_filled')
    : machine;

export const zapM2pSlot = (machine: Machine, mfn: number): Machine =>
  setMemory(machine, writeWord(machine.memory, mfn, XEN_L4_SLOTS.m2p, ZERO));
