/** The `foreigndom` argument: whose pages a call is about. */
import { DOMID } from '#spec/abi/xen.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId } from '../domids.ts';
import type { Machine } from '../machine.ts';

/** Domid of the owner (DOMID.IO and DOMID.XEN included), or -1 for -ESRCH: nobody, or the caller by its own number. */
export const getPgOwner = (machine: Machine, caller: Domain, foreigndom: number): number => {
  const domid = foreigndom & 0xffff;
  if (domid === caller.domid) return -1;
  if (domid === DOMID.IO || domid === DOMID.XEN) return domid;
  return domainByAnyId(machine, caller, domid)?.domid ?? -1;
};
