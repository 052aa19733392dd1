/** EVTCHNOP_status: tell what a port is. */

import { match } from 'ts-pattern';
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
const reported = (channel: Channel | null, before: number): Partial<Fields<typeof evtchn.status>> =>
  match(channel)
    .with(null, () => ({ status: EVTCHNSTAT.closed }))
    .with({ state: 'unbound' }, ({ remoteDom }) => ({ status: EVTCHNSTAT.unbound, u0: withLowHalf(before, remoteDom) }))
    .with({ state: 'interdomain' }, ({ remoteDom, remotePort }) => ({
      status: EVTCHNSTAT.interdomain,
      u0: withLowHalf(before, remoteDom),
      u1: remotePort,
    }))
    .with({ state: 'pirq' }, ({ pirq }) => ({ status: EVTCHNSTAT.pirq, u0: pirq }))
    .with({ state: 'virq' }, ({ virq }) => ({ status: EVTCHNSTAT.virq, u0: virq }))
    .with({ state: 'ipi' }, () => ({ status: EVTCHNSTAT.ipi }))
    .exhaustive();

const withLowHalf = (word: number, half: number): number => ((word & 0xffff0000) | half) >>> 0;
