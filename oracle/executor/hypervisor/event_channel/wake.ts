/** Whom an event wakes: the vCPU that gets an upcall, and those that poll. */
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import { unblock } from '../scheduler.ts';
import type { Vcpu } from '../vcpu.ts';
import { setUpcallPending, upcallPending } from '../vcpu_info.ts';

/** The vCPU has something to look at: sets its upcall flag and, if it was clear, ends a block. */
export const markEventsPending = (machine: Machine, vcpu: Vcpu): void => {
  if ((upcallPending(machine, vcpu) & 1) !== 0) return;
  setUpcallPending(machine, vcpu, upcallPending(machine, vcpu) | 1);
  unblock(machine, vcpu);
};

/** End SCHEDOP_poll of the vCPUs that wait for this port, for several, or that have not yet said for which. */
export const wakePollers = (machine: Machine, domain: Domain, port: number): void => {
  if (domain.polling.size === 0) return;
  for (const vcpu of domain.vcpus) {
    if (!domain.polling.has(vcpu.id) || (vcpu.pollPort > 0 && vcpu.pollPort !== port)) continue;
    domain.polling.delete(vcpu.id);
    vcpu.pollPort = 0;
    unblock(machine, vcpu);
  }
};
