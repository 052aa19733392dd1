/** How small the machine is, and the ports that it knows: every channel that can be, numbered. */
import type { Channel } from '#model/domain.ts';
import type { Slot, Symmetry } from '../slots.ts';

export type ChannelScope = {
  readonly domids: readonly [number, number];
  /** Ports 1 to this one; a transition that wants a further one is cut off. */
  readonly ports: number;
  readonly vcpus: 1 | 2;
  /** The guest stores to pending bits, mask bits, selectors and upcall flags, and Xen sends its virtual interrupts; else they stay clear, and no port is raised. */
  readonly bits: boolean;
};

/** A VIRQ of each vCPU, and a global one. */
export const VIRQ_TIMER = 0;
export const VIRQ_DOM_EXC = 3;

/** What a port can be, as the caller's list and back. Place 0: free. */
export type Kinds = {
  readonly channels: readonly (Channel | null)[];
  /** Place of a channel; `swap`: as if the domains had each other's names. -1: beyond the scope. */
  readonly placeOf: (channel: Channel | null, swap: boolean) => number;
};

export const kindsOf = ({ domids, ports, vcpus }: ChannelScope): Kinds => {
  const channels: (Channel | null)[] = [null];
  const all = Array.from({ length: vcpus }, (_, vcpu) => vcpu);
  const [unbound, interdomain] = [1, 1 + 2 * vcpus];
  for (const vcpu of all) for (const remoteDom of domids) channels.push({ state: 'unbound', vcpu, remoteDom });
  for (const vcpu of all)
    for (const remoteDom of domids)
      for (let remotePort = 1; remotePort <= ports; remotePort++) channels.push({ state: 'interdomain', vcpu, remoteDom, remotePort });
  const ipi = channels.length;
  for (const vcpu of all) channels.push({ state: 'ipi', vcpu });
  const timer = channels.length;
  for (const vcpu of all) channels.push({ state: 'virq', vcpu, virq: VIRQ_TIMER });
  const global = channels.length;
  for (const vcpu of all) channels.push({ state: 'virq', vcpu, virq: VIRQ_DOM_EXC });
  const domain = (domid: number, swap: boolean): number =>
    (domid === domids[0] ? 0 : domid === domids[1] ? 1 : Number.NaN) ^ (swap ? 1 : 0);
  const known = (domid: number): boolean => domid === domids[0] || domid === domids[1];
  return {
    channels,
    placeOf: (channel, swap) => {
      switch (channel?.state) {
        case undefined:
          return 0;
        case 'unbound':
          return known(channel.remoteDom) ? unbound + channel.vcpu * 2 + domain(channel.remoteDom, swap) : -1;
        case 'interdomain':
          if (!known(channel.remoteDom) || channel.remotePort > ports) return -1;
          return interdomain + (channel.vcpu * 2 + domain(channel.remoteDom, swap)) * ports + channel.remotePort - 1;
        case 'ipi':
          return ipi + channel.vcpu;
        case 'virq':
          return channel.virq === VIRQ_TIMER ? timer + channel.vcpu : channel.virq === VIRQ_DOM_EXC ? global + channel.vcpu : -1;
        case 'pirq':
          return -1;
      }
    },
  };
};

/** Numbers of the slots: by domain its ports, then its vCPUs. */
export const slotsOf = ({ ports, vcpus }: ChannelScope) => {
  const perDomain = ports * 3 + vcpus * 2;
  const ofPort = (d: number, port: number, n: number): number => d * perDomain + (port - 1) * 3 + n;
  const ofVcpu = (d: number, v: number, n: number): number => d * perDomain + ports * 3 + v * 2 + n;
  return {
    count: 2 * perDomain,
    kind: (d: number, port: number) => ofPort(d, port, 0),
    pending: (d: number, port: number) => ofPort(d, port, 1),
    mask: (d: number, port: number) => ofPort(d, port, 2),
    selector: (d: number, v: number) => ofVcpu(d, v, 0),
    upcall: (d: number, v: number) => ofVcpu(d, v, 1),
  };
};

const upTo = (n: number, from = 0): readonly number[] => Array.from({ length: n - from + 1 }, (_, i) => from + i);

/** What the slots are, by their numbers. */
export const namedSlots = (scope: ChannelScope): readonly Slot[] => {
  const { domids, ports, vcpus } = scope;
  const size = kindsOf(scope).channels.length;
  return domids.flatMap((domid): Slot[] => [
    ...upTo(ports, 1).flatMap((port) => [
      { name: `d${domid} port ${port}`, size },
      { name: `d${domid} pending ${port}`, size: 2 },
      { name: `d${domid} mask ${port}`, size: 2 },
    ]),
    ...upTo(vcpus - 1).flatMap((v) => [
      { name: `d${domid}v${v} selector`, size: 2 },
      { name: `d${domid}v${v} upcall`, size: 2 },
    ]),
  ]);
};

/** Each domain by the other's name. */
export const swapOf = (scope: ChannelScope): Symmetry => {
  const { channels, placeOf } = kindsOf(scope);
  const { count, kind } = slotsOf(scope);
  const swapped = channels.map((channel) => placeOf(channel, true));
  const kinds = new Set(upTo(1).flatMap((d) => upTo(scope.ports, 1).map((port) => kind(d, port))));
  const slots = upTo(count - 1);
  return { slots: slots.map((s) => (s + count / 2) % count), to: slots.map((s) => (kinds.has(s) ? swapped : [0, 1])) };
};
