/** EVTCHNOP_unmask: clear a port's mask bit, and signal what came meanwhile. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { granted, type Operation, refused } from './operation.ts';
import { portOps } from './port_ops.ts';
import { channelAt, portIsValid } from './ports.ts';

export const unmask: Operation<typeof evtchn.unmask> = (machine, { domid }, { port }) => {
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/unmask-port');
  const channel = channelAt(machine, domid, port);
  if (!channel) return granted(machine, 'evtchn/unmask-unusable');
  const ops = portOps(machine, domid);
  return granted(ops.unmask(machine, { domid, vcpu: channel.vcpu }, port), ops.unmasked);
};
