/** EVTCHNOP_bind_vcpu: let another vCPU of the domain be notified. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { domainOf } from '../../lens.ts';
import { changeChannel, stepOn } from './lifecycle.ts';
import { granted, type Operation, refused } from './operation.ts';
import { channelAt, portIsValid } from './ports.ts';

export const bindVcpu: Operation<typeof evtchn.bind_vcpu> = (machine, { domid }, { port, vcpu }) => {
  if (!domainOf(machine, domid).vcpus[vcpu]) return refused(machine, 'ENOENT', 'evtchn/bind_vcpu-vcpu');
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/bind_vcpu-port');
  const channel = channelAt(machine, domid, port);
  const step = stepOn('bind_vcpu', channel);
  if ('errno' in step || !channel) return refused(machine, 'EINVAL', 'evtchn/bind_vcpu-state');
  return granted(changeChannel(machine, domid, port, 'bind_vcpu', { ...channel, vcpu }), step.clause);
};
