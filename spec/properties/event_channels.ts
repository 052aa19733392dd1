/** Ends of event channels. Chapter: spec/chapters/event_channel.md. */
import { VIRQ } from '../abi/xen.ts';
import type { PortObservation } from '../observation.ts';
import type { Invariant, Violation } from './view.ts';

/** What the statements look at: of each domain its ports, and how many vCPUs there are. */
export type ChannelEnds = readonly {
  readonly domid: number;
  readonly ports: readonly PortObservation[];
  readonly vcpus: { readonly length: number };
}[];

const isOtherEnd = (port: PortObservation, domid: number, number: number): boolean =>
  port.status === 'interdomain' && port.remote_dom === domid && port.remote_port === number;

export function* unpairedChannels(domains: ChannelEnds): Generator<Violation> {
  for (const { domid, ports } of domains)
    for (const { port, status, remote_dom, remote_port } of ports) {
      if (status !== 'interdomain') continue;
      const other = domains.find((domain) => domain.domid === remote_dom)?.ports.find((end) => end.port === remote_port);
      if (!other || !isOtherEnd(other, domid, port))
        yield `port ${port} of d${domid} leads to port ${remote_port} of d${remote_dom}, which does not lead back`;
    }
}

export const channelsPair: Invariant = {
  property: 'SAFE',
  states: 'The two ends of a channel between domains name each other.',
  violations: ({ observation }) => unpairedChannels(observation.domains),
};

/** Virtual interrupts that each vCPU has of its own; all others are the domain's, whichever vCPU they notify. */
const OF_EACH_VCPU: ReadonlySet<number | null> = new Set([VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU]);

function* numbered(ports: readonly PortObservation[]): Generator<string> {
  for (const { port, vcpu, status, number } of ports) {
    if (status === 'virq') yield OF_EACH_VCPU.has(number) ? `VIRQ ${number} of vCPU ${vcpu}` : `VIRQ ${number}`;
    if (status === 'pirq') yield `interrupt ${number}`;
    if (port === 0) yield 'port 0';
  }
}

export function* doubledChannels(domains: ChannelEnds): Generator<Violation> {
  for (const { domid, ports, vcpus } of domains) {
    const seen = new Set(['port 0']);
    for (const what of numbered(ports)) {
      if (seen.has(what)) yield `d${domid} has two ports for ${what}`;
      seen.add(what);
    }
    for (const { port, vcpu } of ports)
      if (vcpu >= vcpus.length) yield `port ${port} of d${domid} belongs to vCPU ${vcpu}, which there is not`;
  }
}

export const channelsOnce: Invariant = {
  property: 'SAFE',
  states:
    'A virtual interrupt of a vCPU, a global one of a domain and a physical one of a domain has one port; a port belongs to a vCPU that there is; port 0 is nobody’s.',
  violations: ({ observation }) => doubledChannels(observation.domains),
};
