/** How small the machine is, and the ports that it knows: every channel that can be, numbered. */
import type { Channel } from '#model/domain.ts';

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
