/**
 * The life of a channel: what each operation makes of a port in each state, or why it refuses. The operations look here, and the
 * diagram in spec/chapters/event_channel.md is drawn from here.
 */
import type { Errno } from '#spec/abi/errno.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Channel } from '../../domain.ts';
import type { Machine } from '../../machine.ts';
import { channelAt, setChannel } from './ports.ts';
import { virqIsGlobal } from './virq_kind.ts';

/** States of a port. A reserved port (0) is treated as a free one that is never chosen. */
export const CHANNEL_STATES = ['free', 'unbound', 'interdomain', 'virq', 'global_virq', 'pirq', 'ipi'] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

type Becomes = { readonly to: ChannelState; readonly clause: ClauseId };
type Refuses = { readonly errno: Errno; readonly clause: ClauseId };
type Steps = Readonly<Record<ChannelState, Becomes | Refuses>>;

const becomes = (to: ChannelState, clause: ClauseId): Becomes => ({ to, clause });
const refuses = (errno: Errno, clause: ClauseId): Refuses => ({ errno, clause });

/** The state stays as it is, for one and the same clause. */
const stays = <S extends ChannelState>(clause: ClauseId, ...states: S[]): Readonly<Record<S, Becomes>> =>
  Object.fromEntries(states.map((state) => [state, becomes(state, clause)])) as Record<S, Becomes>;

const NO_SEND = refuses('EINVAL', 'evtchn/send-state');
const NO_MOVE = refuses('EINVAL', 'evtchn/bind_vcpu-state');

/** Operations on a port that is named. */
export const ON_A_PORT = {
  close: {
    free: refuses('EINVAL', 'evtchn/close-free'),
    unbound: becomes('free', 'evtchn/close-closed'),
    interdomain: becomes('free', 'evtchn/close-interdomain'),
    virq: becomes('free', 'evtchn/close-virq'),
    global_virq: becomes('free', 'evtchn/close-virq'),
    pirq: becomes('free', 'evtchn/close-closed'),
    ipi: becomes('free', 'evtchn/close-closed'),
  },
  send: {
    free: NO_SEND,
    ...stays('evtchn/send-unbound', 'unbound'),
    ...stays('evtchn/send-interdomain', 'interdomain'),
    virq: NO_SEND,
    global_virq: NO_SEND,
    pirq: NO_SEND,
    ...stays('evtchn/send-ipi', 'ipi'),
  },
  bind_vcpu: {
    free: NO_MOVE,
    ...stays('evtchn/bind_vcpu-bound', 'unbound', 'interdomain', 'global_virq', 'pirq'),
    virq: NO_MOVE,
    ipi: NO_MOVE,
  },
  set_priority: {
    free: refuses('EACCES', 'evtchn_fifo/set_priority-unusable'),
    ...stays('evtchn_fifo/set_priority-set', 'unbound', 'interdomain', 'virq', 'global_virq', 'pirq', 'ipi'),
  },
} as const satisfies Readonly<Record<string, Steps>>;

/** How channels are made, and what the other end's doing makes of one. Only the states named here are fit for it. */
export const MADE_BY = {
  alloc_unbound: { free: becomes('unbound', 'evtchn/alloc_unbound-allocated') },
  bind_interdomain: { free: becomes('interdomain', 'evtchn/bind_interdomain-bound') },
  bind_virq: { free: becomes('virq', 'evtchn/bind_virq-bound') },
  bind_global_virq: { free: becomes('global_virq', 'evtchn/bind_virq-bound') },
  bind_ipi: { free: becomes('ipi', 'evtchn/bind_ipi-bound') },
  peer_binds: { unbound: becomes('interdomain', 'evtchn/bind_interdomain-bound') },
  peer_closes: { interdomain: becomes('unbound', 'evtchn/close-interdomain') },
} as const satisfies Readonly<Record<string, Partial<Readonly<Record<ChannelState, Becomes>>>>>;

export const stateOf = (channel: Channel | null): ChannelState => {
  if (!channel) return 'free';
  return channel.state === 'virq' && virqIsGlobal(channel.virq) ? 'global_virq' : channel.state;
};

/** What an operation makes of the port as it is. */
export const stepOn = (operation: keyof typeof ON_A_PORT, channel: Channel | null): Becomes | Refuses =>
  ON_A_PORT[operation][stateOf(channel)];

/** Give a port the state that the table says it gets; every change of state goes through here. */
export const changeChannel = (
  machine: Machine,
  domid: number,
  port: number,
  operation: keyof typeof ON_A_PORT | keyof typeof MADE_BY,
  channel: Channel | null,
): Machine => {
  const from = stateOf(channelAt(machine, domid, port));
  const steps: Partial<Steps> =
    operation in MADE_BY ? MADE_BY[operation as keyof typeof MADE_BY] : ON_A_PORT[operation as keyof typeof ON_A_PORT];
  const step = steps[from];
  if (!step || !('to' in step) || step.to !== stateOf(channel))
    throw new ModelBug(`${operation} makes port ${port} ${stateOf(channel)}, which was ${from}`);
  return setChannel(machine, domid, port, channel);
};
