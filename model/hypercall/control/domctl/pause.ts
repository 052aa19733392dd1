/** XEN_DOMCTL_pausedomain, unpausedomain, resumedomain. */
import { MOST_PAUSES } from '#spec/abi/domctl.ts';
import { updateDomain } from '../../../lens.ts';
import { stopDomain, wakeDomain } from '../../../sched/pause.ts';
import { done, fail } from '../../result.ts';
import type { Rule } from './rule.ts';

export const pausedomain: Rule = (machine, { caller, target: { domid, pauses = 0 } }) => {
  if (domid === caller.domid) return fail(machine, 'EINVAL', 'domctl/pausedomain-self');
  if (pauses === MOST_PAUSES) return fail(machine, 'EOVERFLOW', 'domctl/pausedomain-most');
  return done(stopDomain(updateDomain(machine, domid, { pauses: pauses + 1 }), domid), 'domctl/pausedomain-done');
};

export const unpausedomain: Rule = (machine, { target: { domid, pauses = 0 } }) => {
  if (pauses === 0) return fail(machine, 'EINVAL', 'domctl/unpausedomain-none');
  return done(wakeDomain(updateDomain(machine, domid, { pauses: pauses - 1 }), domid), 'domctl/unpausedomain-done');
};

/** What stops it for a moment is seen by a domain that runs: its vCPUs have to be put on pCPUs anew. */
export const resumedomain: Rule = (machine, { caller, target: { domid } }) => {
  if (domid === caller.domid) return fail(machine, 'EINVAL', 'domctl/resumedomain-self');
  const stopped = stopDomain(machine, domid);
  return done(wakeDomain(updateDomain(stopped, domid, { shutdown: null, shutdownCode: null }), domid), 'domctl/resumedomain-done');
};
