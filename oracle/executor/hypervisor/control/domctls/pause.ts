/** Pausing a domain, letting it go on, resuming one that was shut down. */
import { MOST_PAUSES } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { hold, release, resume } from '../../pause.ts';
import type { Work } from './request.ts';

export const pauseDomain: Work = ({ machine, caller, domain }) => {
  if (domain === caller.domain) return -ERRNO.EINVAL;
  if (domain.pauses >= MOST_PAUSES) return -ERRNO.EOVERFLOW;
  domain.pauses++;
  hold(machine, caller, domain);
  return 0;
};

export const unpauseDomain: Work = ({ machine, domain }) => {
  if (domain.pauses === 0) return -ERRNO.EINVAL;
  domain.pauses--;
  release(machine, domain);
  return 0;
};

export const resumeDomain: Work = ({ machine, caller, domain }) => {
  if (domain === caller.domain) return -ERRNO.EINVAL;
  resume(machine, caller, domain);
  return 0;
};
