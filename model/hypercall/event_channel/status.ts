/** EVTCHNOP_status: tell what a port is. */
import { EVTCHNSTAT, type evtchn } from '#spec/abi/event_channel.ts';
import type { Channel } from '../../domain.ts';
import { findDomain } from '../../lens.ts';
import { mayTarget, self } from '../domids.ts';
import type { Fields } from '../guest_struct.ts';
import { granted, type Operation, refused } from './operation.ts';
import { channelAt, portIsValid } from './ports.ts';

export const status: Operation<typeof evtchn.status> = (machine, caller, fields) => {
  const domid = self(fields.dom, caller);
  if (!findDomain(machine, domid)) return refused(machine, 'ESRCH', 'evtchn/status-domain');
  if (!portIsValid(machine, domid, fields.port)) return refused(machine, 'EINVAL', 'evtchn/status-port');
  if (!mayTarget(caller, domid)) return refused(machine, 'EPERM', 'evtchn/status-permission');
  const channel = channelAt(machine, domid, fields.port);
  return granted(machine, 'evtchn/status-reported', { vcpu: channel?.vcpu ?? 0, ...reported(channel, fields.u0) });
};

/** Status and union. The unbound domid is 16 bits wide and leaves the other half of its word as the caller had it. */
const reported = (channel: Channel | null, before: number): Partial<Fields<typeof evtchn.status>> => {
  switch (channel?.state) {
    case undefined:
      return { status: EVTCHNSTAT.closed };
    case 'unbound':
      return { status: EVTCHNSTAT.unbound, u0: withLowHalf(before, channel.remoteDom) };
    case 'interdomain':
      return { status: EVTCHNSTAT.interdomain, u0: withLowHalf(before, channel.remoteDom), u1: channel.remotePort };
    case 'pirq':
      return { status: EVTCHNSTAT.pirq, u0: channel.pirq };
    case 'virq':
      return { status: EVTCHNSTAT.virq, u0: channel.virq };
    case 'ipi':
      return { status: EVTCHNSTAT.ipi };
  }
};

const withLowHalf = (word: number, half: number): number => ((word & 0xffff0000) | half) >>> 0;
