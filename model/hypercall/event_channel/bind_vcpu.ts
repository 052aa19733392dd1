/** EVTCHNOP_bind_vcpu: let another vCPU of the domain be notified. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import type { Channel } from '../../domain.ts';
import { domainOf } from '../../lens.ts';
import { granted, type Operation, refused } from './operation.ts';
import { channelAt, portIsValid, setChannel } from './ports.ts';
import { virqIsGlobal } from './virq.ts';

export const bindVcpu: Operation<typeof evtchn.bind_vcpu> = (machine, { domid }, { port, vcpu }) => {
  if (!domainOf(machine, domid).vcpus[vcpu]) return refused(machine, 'ENOENT', 'evtchn/bind_vcpu-vcpu');
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/bind_vcpu-port');
  const channel = channelAt(machine, domid, port);
  if (!channel || !canMove(channel)) return refused(machine, 'EINVAL', 'evtchn/bind_vcpu-state');
  return granted(setChannel(machine, domid, port, { ...channel, vcpu }), 'evtchn/bind_vcpu-bound');
};

const canMove = (channel: Channel): boolean => channel.state !== 'ipi' && (channel.state !== 'virq' || virqIsGlobal(channel.virq));
