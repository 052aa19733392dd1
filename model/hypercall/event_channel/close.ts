/** EVTCHNOP_close, and the closing of a port that `reset` shares with it. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Channel } from '../../domain.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { changeChannel, stepOn } from './lifecycle.ts';
import { granted, type Operation, refused } from './operation.ts';
import { portOps } from './port_ops.ts';
import { channelAt, portIsValid } from './ports.ts';
import { virqIsGlobal } from './virq_kind.ts';

export const close: Operation<typeof evtchn.close> = (machine, { domid }, { port }) => {
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/close-port');
  const channel = channelAt(machine, domid, port);
  const step = stepOn('close', channel);
  if ('errno' in step || !channel) return refused(machine, 'EINVAL', 'evtchn/close-free');
  return granted(closeChannel(machine, domid, port, channel), step.clause);
};

/** Free a port that has a channel, and let go of what the channel was tied to. */
export const closeChannel = (machine: Machine, domid: number, port: number, channel: Channel): Machine => {
  const alone = letGo(machine, domid, channel);
  return changeChannel(portOps(alone, domid).clearPending(alone, domid, port), domid, port, 'close', null);
};

const letGo = (machine: Machine, domid: number, channel: Channel): Machine => {
  if (channel.state === 'virq') {
    const at = { domid, vcpu: virqIsGlobal(channel.virq) ? 0 : channel.vcpu };
    return updateVcpu(machine, at, { virqPorts: vcpuOf(machine, at).virqPorts.with(channel.virq, 0) });
  }
  if (channel.state !== 'interdomain') return machine;
  const { remoteDom, remotePort } = channel;
  const peer = channelAt(machine, remoteDom, remotePort);
  if (peer?.state !== 'interdomain') throw new ModelBug(`port ${remotePort} of domain ${remoteDom} has lost its peer`);
  return changeChannel(machine, remoteDom, remotePort, 'peer_closes', { state: 'unbound', vcpu: peer.vcpu, remoteDom: domid });
};
