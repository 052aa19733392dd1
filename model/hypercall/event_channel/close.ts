/** EVTCHNOP_close, and the closing of a port that `reset` shares with it. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Channel } from '../../domain.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { granted, type Operation, refused } from './operation.ts';
import { channelAt, portIsValid, setChannel } from './ports.ts';
import { clearPending } from './raise.ts';
import { virqIsGlobal } from './virq.ts';

export const close: Operation<typeof evtchn.close> = (machine, { domid }, { port }) => {
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/close-port');
  const channel = channelAt(machine, domid, port);
  if (!channel) return refused(machine, 'EINVAL', 'evtchn/close-free');
  return granted(closeChannel(machine, domid, port, channel), CLOSED[channel.state]);
};

const CLOSED: Readonly<Record<Channel['state'], ClauseId>> = {
  unbound: 'evtchn/close-closed',
  interdomain: 'evtchn/close-interdomain',
  virq: 'evtchn/close-virq',
  ipi: 'evtchn/close-closed',
  pirq: 'evtchn/close-closed',
};

/** Free a port that has a channel, and let go of what the channel was tied to. */
export const closeChannel = (machine: Machine, domid: number, port: number, channel: Channel): Machine =>
  setChannel(clearPending(letGo(machine, domid, channel), domid, port), domid, port, null);

const letGo = (machine: Machine, domid: number, channel: Channel): Machine => {
  if (channel.state === 'virq') {
    const at = { domid, vcpu: virqIsGlobal(channel.virq) ? 0 : channel.vcpu };
    return updateVcpu(machine, at, { virqPorts: vcpuOf(machine, at).virqPorts.with(channel.virq, 0) });
  }
  if (channel.state !== 'interdomain') return machine;
  const { remoteDom, remotePort } = channel;
  const peer = channelAt(machine, remoteDom, remotePort);
  if (peer?.state !== 'interdomain') throw new ModelBug(`port ${remotePort} of domain ${remoteDom} has lost its peer`);
  return setChannel(machine, remoteDom, remotePort, { state: 'unbound', vcpu: peer.vcpu, remoteDom: domid });
};
