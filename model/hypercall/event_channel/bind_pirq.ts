/** EVTCHNOP_bind_pirq: refused always, because nothing in this slice maps a physical interrupt for a domain. */
import { type evtchn, NR_PIRQS } from '#spec/abi/event_channel.ts';
import { isControlDomain } from '../domids.ts';
import { type Operation, refused } from './operation.ts';

export const bindPirq: Operation<typeof evtchn.bind_pirq> = (machine, caller, { pirq }) => {
  const limit = isControlDomain(caller) ? NR_PIRQS.dom0 : NR_PIRQS.other;
  if (pirq >= limit) return refused(machine, 'EINVAL', 'evtchn/bind_pirq-number');
  return refused(machine, 'EPERM', 'evtchn/bind_pirq-permission');
};
