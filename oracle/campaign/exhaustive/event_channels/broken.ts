/**
 * The statements of spec/properties/event_channels.ts about values of slots, by tables, since they are asked of every state. A test holds the two against
 * each other.
 */
import type { Values } from '../slots.ts';
import { type ChannelScope, kindsOf, slotsOf, VIRQ_DOM_EXC } from './scope.ts';

/** Of a kind of port: its other end's domain and port, or −1; and of what there may be one port only, or 0. */
type Row = { readonly d: number; readonly port: number; readonly once: number };

export const brokenChannels = (scope: ChannelScope): ((values: Values) => string | null) => {
  const { domids, ports } = scope;
  const { channels } = kindsOf(scope);
  const { kind } = slotsOf(scope);
  const rows = channels.map((channel): Row => {
    if (channel?.state === 'interdomain') return { d: domids.indexOf(channel.remoteDom), port: channel.remotePort, once: 0 };
    if (channel?.state !== 'virq') return { d: -1, port: 0, once: 0 };
    return { d: -1, port: 0, once: channel.virq === VIRQ_DOM_EXC ? 1 : 2 << channel.vcpu };
  });
  const text = (values: Values, d: number, port: number): string => {
    const channel = channels[values[kind(d, port)]!]!;
    return channel === null ? 'free' : JSON.stringify(channel);
  };
  return (values) => {
    for (let d = 0; d < 2; d++) {
      let seen = 0;
      for (let port = 1; port <= ports; port++) {
        const { d: other, port: end, once } = rows[values[kind(d, port)]!]!;
        if (once !== 0) {
          if (seen & once)
            return `d${domids[d]} has two ports for one virtual interrupt, one of them port ${port}: ${text(values, d, port)}`;
          seen |= once;
        }
        if (other < 0) continue;
        const back = rows[values[kind(other, end)]!]!;
        if (back.d !== d || back.port !== port)
          return `port ${port} of d${domids[d]} leads to port ${end} of d${domids[other]}, which does not lead back`;
      }
    }
    return null;
  };
};
