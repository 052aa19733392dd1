/** Who is meant by a domid in a hypercall's argument, and who may do what to whom. */
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';

/** The domid, with DOMID_SELF standing for the caller. */
export const self = (domid: number, caller: VcpuRef): number => (domid === DOMID.SELF ? caller.domid : domid);

/** Domain 0 may act on every other domain. */
export const isControlDomain = (caller: { readonly domid: number }): boolean => caller.domid === 0;

/** The rule of most operations that name a domain: oneself, or anybody for domain 0. */
export const mayTarget = (caller: VcpuRef, target: number): boolean => caller.domid === target || isControlDomain(caller);
