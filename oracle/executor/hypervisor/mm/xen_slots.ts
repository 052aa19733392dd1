/** Xen's own slots in a guest's top-level table. Slot 256 leads to the machine-to-physical table, read-only. */
import { XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import type { Machine } from '../machine.ts';
import { addressHi, addressLo, PTE, PTE_HIGH } from './entry.ts';

const at = (l4: number, slot: number): number => l4 * 4096 + 8 * slot;

/** All of them empty. */
export const clearXenSlots = (machine: Machine, l4: number): void => {
  machine.memory.fill(at(l4, XEN_L4_SLOTS.first), 8 * (XEN_L4_SLOTS.end - XEN_L4_SLOTS.first), 0);
};

/** The first frame of Xen's heap holds the L3 that slot 256 leads to. */
export const fillM2pSlot = (machine: Machine, l4: number): void => {
  const l3 = machine.config.layout.xenheap_first;
  const flags = PTE.PRESENT | PTE.USER | PTE.ACCESSED;
  machine.memory.writeHalves(at(l4, XEN_L4_SLOTS.m2p), addressLo(l3) | flags, addressHi(l3) | PTE_HIGH.NX);
};

export const m2pSlotIsEmpty = (machine: Machine, l4: number): boolean => {
  const { view } = machine.memory;
  const entry = at(l4, XEN_L4_SLOTS.m2p);
  return (view.getInt32(entry, true) | view.getInt32(entry + 4, true)) === 0;
};

export const zapM2pSlot = (machine: Machine, l4: number): void => machine.memory.writeHalves(at(l4, XEN_L4_SLOTS.m2p), 0, 0);
