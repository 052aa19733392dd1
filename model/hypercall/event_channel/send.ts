/** EVTCHNOP_send: notify whoever is at the other end of a port. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import type { Channel } from '../../domain.ts';
import type { Machine } from '../../machine.ts';
import { stepOn } from './lifecycle.ts';
import { granted, type Operation, refused } from './operation.ts';
import { raise } from './port_ops.ts';
import { channelAt, portIsValid } from './ports.ts';

export const send: Operation<typeof evtchn.send> = (machine, { domid }, { port }) => {
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/send-port');
  const channel = channelAt(machine, domid, port);
  const step = stepOn('send', channel);
  return 'errno' in step ? refused(machine, step.errno, step.clause) : granted(notify(machine, domid, port, channel), step.clause);
};

const notify = (machine: Machine, domid: number, port: number, channel: Channel | null): Machine => {
  if (channel?.state === 'ipi') return raise(machine, domid, port, channel.vcpu);
  // What is sent while nobody has joined the port is lost.
  if (channel?.state !== 'interdomain') return machine;
  const { remoteDom, remotePort } = channel;
  return raise(machine, remoteDom, remotePort, channelAt(machine, remoteDom, remotePort)?.vcpu ?? 0);
};
