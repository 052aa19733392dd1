/** Where page tables of 32-bit domains have rules of their own. Asked by domain; machines without such a domain answer at once. */
import type { Domain } from '../domain.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { firstCompatSlot } from './compat_slots.ts';
import { PTE } from './entry.ts';

/** Entries of an L3 that count; what lies behind them is cleared. */
export const COMPAT_L3_ENTRIES = 4;
/** The slot of an L3 that leads to the L2 with Xen's slots. */
export const XEN_L2_SLOT = 3;

export const isCompat = (machine: Machine, domid: number): boolean => machine.compatM2p >= 0 && machine.domainById(domid)?.compat === true;

/** First of Xen's slots in an L2 of this type that belongs to, or is changed by, the domain. */
export const firstXenSlot = (domain: Domain | undefined, type: number): number =>
  type === PGT.xen_l2 && domain ? firstCompatSlot(domain.hypervisorStart) : Number.POSITIVE_INFINITY;

/** Bits that no entry of an L3 may have, beyond those that no table's may. */
const L3_HIGH = 0xfff00000 | 0;
export const hasBadCompatL3Flags = (hi: number): boolean => (hi & L3_HIGH) !== 0;

/** Lower half of a present entry as Xen stores it. */
export const adjustCompatLo = (lo: number, type: number): number => {
  if (type === PGT.l3) return lo | PTE.USER | PTE.RW;
  return type === PGT.l4 ? lo | PTE.ACCESSED : lo;
};

/** The same of an L3 that is no table any more. */
export const unadjustCompatLo = (lo: number): number => ((lo & PTE.PRESENT) === 0 ? lo : lo & ~(PTE.USER | PTE.RW | PTE.ACCESSED));
