/** EVTCHNOP_send: notify whoever is at the other end of a port. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { granted, type Operation, refused } from './operation.ts';
import { channelAt, portIsValid } from './ports.ts';
import { raise } from './raise.ts';

export const send: Operation<typeof evtchn.send> = (machine, { domid }, { port }) => {
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/send-port');
  const channel = channelAt(machine, domid, port);
  switch (channel?.state) {
    case 'interdomain': {
      const { remoteDom, remotePort } = channel;
      const notified = channelAt(machine, remoteDom, remotePort)?.vcpu ?? 0;
      return granted(raise(machine, remoteDom, remotePort, notified), 'evtchn/send-interdomain');
    }
    case 'ipi':
      return granted(raise(machine, domid, port, channel.vcpu), 'evtchn/send-ipi');
    case 'unbound':
      return granted(machine, 'evtchn/send-unbound');
    default:
      return refused(machine, 'EINVAL', 'evtchn/send-state');
  }
};
