/** The small machines that can be explored, by name. */
import { BadInput } from '#spec/failure.ts';
import type { Core } from './core.ts';
import { channelCandidates } from './event_channels/candidates.ts';
import { channelCore } from './event_channels/core.ts';
import type { ChannelScope } from './event_channels/scope.ts';
import type { Values } from './slots.ts';

const CHANNELS = {
  /** The smallest: what the channels are, without the bits that tell of them. */
  channels: { domids: [0, 1], ports: 2, vcpus: 1, bits: false },
  channels_3: { domids: [0, 1], ports: 3, vcpus: 1, bits: false },
  channels_vcpus: { domids: [0, 1], ports: 2, vcpus: 2, bits: false },
  /** Two domains without privilege, which can be taken for one another. */
  channels_peers: { domids: [1, 2], ports: 3, vcpus: 1, bits: false },
  channels_peers_vcpus: { domids: [1, 2], ports: 3, vcpus: 2, bits: false },
  channels_bits: { domids: [0, 1], ports: 2, vcpus: 1, bits: true },
  channels_peers_bits: { domids: [1, 2], ports: 2, vcpus: 1, bits: true },
  channels_whole: { domids: [0, 1], ports: 3, vcpus: 2, bits: true },
  channels_peers_whole: { domids: [1, 2], ports: 4, vcpus: 1, bits: true },
} as const satisfies Record<string, ChannelScope>;

export type ConfigName = keyof typeof CHANNELS;
export const CONFIGS = Object.keys(CHANNELS) as readonly ConfigName[];

const scopeOf = (name: string): ChannelScope => {
  if (!(name in CHANNELS)) throw new BadInput(`--config ${name}: there are ${CONFIGS.join(', ')}`);
  return CHANNELS[name as ConfigName];
};

/** Throws BadInput for a name that there is not. */
export const coreOf = (name: string): Core => channelCore(name, scopeOf(name));

/** The same with no two states taken for one another: a state that satisfies the invariants is looked at as it is. */
export const inductiveCoreOf = (name: string): Core => channelCore(name, scopeOf(name), false);

/** States among which are all that satisfy the invariants; the same array may come again and again. */
export const candidatesOf = (name: string): Iterable<Values> => channelCandidates(scopeOf(name));
