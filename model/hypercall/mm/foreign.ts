/** The domain whose frames a memory call is about. */
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';

/** From the low 16 bits of `foreigndom`; null when that names nobody, or the caller by its own number (`mmu/foreign-unknown`). */
export const pageOwner = (machine: Machine, caller: VcpuRef, foreigndom: number): number | null => {
  const domid = foreigndom & 0xffff;
  if (domid === DOMID.SELF) return caller.domid;
  if (domid === DOMID.IO || domid === DOMID.XEN) return domid;
  return domid !== caller.domid && findDomain(machine, domid) ? domid : null;
};
