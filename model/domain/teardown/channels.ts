/** The event channels of a dying domain. Xen's name: evtchn_destroy. */
import { closeChannel } from '../../hypercall/event_channel/close.ts';
import { channelAt } from '../../hypercall/event_channel/ports.ts';
import { backToTwoLevel } from '../../hypercall/event_channel/reset.ts';
import { forgetHandler } from '../../hypercall/event_channel/virq.ts';
import { preemptCheck } from '../../hypercall/preempt.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import { spend } from '../../work.ts';
import type { Stage } from './kill.ts';

const BETWEEN_CHECKS = 64;

/** domctl/destroydomain-channels: from the last valid port to the first, with a question after each 64th, at which the call may stop. */
export const closeChannels: Stage = (machine, caller, domid) => {
  let m = machine;
  for (let port = domainOf(machine, domid).validPorts - 1; port > 0; port--) {
    spend(m, 'port');
    const channel = channelAt(m, domid, port);
    if (channel) m = cite(closeChannel(m, domid, port, channel), 'domctl/destroydomain-channels');
    if (port % BETWEEN_CHECKS !== 0) continue;
    const asked = preemptCheck(m, caller);
    m = asked.machine;
    if (asked.stop) return { machine: updateDomain(m, domid, { validPorts: port }), over: false };
  }
  return { machine: backToTwoLevel(forgetHandler(m, domid), domid), over: true };
};
