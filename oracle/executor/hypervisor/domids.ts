/** From a domid in a hypercall to a domain, and who may act on whom. */
import { DOMID } from '#spec/abi/xen.ts';
import type { Domain } from './domain.ts';
import type { Machine } from './machine.ts';

/** DOMID_SELF or the number of an existing domain. */
export const domainByAnyId = (machine: Machine, caller: Domain, domid: number): Domain | undefined =>
  domid === DOMID.SELF ? caller : machine.domainById(domid);

/** Xen's default policy for "on itself, or as the control domain". */
export const isTargetOrPrivileged = (caller: Domain, target: Domain): boolean => caller === target || caller.privileged;
