/** The domain that an operation is about. */
import type { VcpuRef } from '#spec/event.ts';
import type { Domain } from '../../domain.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { mayTarget, self } from '../domids.ts';
import { fail, type HypercallResult } from '../result.ts';

/** `DOMID_SELF` or the domid of any domain, the caller's own included; undefined when there is none (`memory/domain`). */
export const anyDomain = (machine: Machine, caller: VcpuRef, domid: number): Domain | undefined => findDomain(machine, self(domid, caller));

/** The domain, on which the caller may act; else the refusal. */
export const subjectOf = (machine: Machine, caller: VcpuRef, domid: number): { readonly domain: Domain } | HypercallResult => {
  const domain = anyDomain(machine, caller, domid);
  if (!domain) return fail(machine, 'ESRCH', 'memory/domain');
  return mayTarget(caller, domain.domid) ? { domain } : fail(machine, 'EPERM', 'memory/permission');
};
