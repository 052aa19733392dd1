/** Ends of event channels. Chapter: spec/chapters/event_channel.md. */
import type { DomainObservation, PortObservation } from '../observation.ts';
import { domainOf, type Invariant, type View } from './view.ts';

const isOtherEnd = (port: PortObservation, domid: number, number: number): boolean =>
  port.status === 'interdomain' && port.remote_dom === domid && port.remote_port === number;

export const channelsPair: Invariant = {
  property: 'SAFE',
  states: 'The two ends of a channel between domains name each other.',
  *violations(view) {
    for (const { domid, ports } of view.observation.domains)
      for (const { port, status, remote_dom, remote_port } of ports) {
        if (status !== 'interdomain') continue;
        const other = domainOf(view, remote_dom!)?.ports.find((end) => end.port === remote_port);
        if (!other || !isOtherEnd(other, domid, port))
          yield `port ${port} of d${domid} leads to port ${remote_port} of d${remote_dom}, which does not lead back`;
      }
  },
};

function* numbered(domain: DomainObservation): Generator<string> {
  for (const { port, vcpu, status, number } of domain.ports) {
    if (status === 'virq') yield `VIRQ ${number} of vCPU ${vcpu}`;
    if (status === 'pirq') yield `interrupt ${number}`;
    if (port === 0) yield 'port 0';
  }
}

export const channelsOnce: Invariant = {
  property: 'SAFE',
  states:
    'A virtual interrupt of a vCPU and a physical one of a domain has one port; a port belongs to a vCPU that there is; port 0 is nobody’s.',
  *violations({ observation }: View) {
    for (const domain of observation.domains) {
      const seen = new Set(['port 0']);
      for (const what of numbered(domain)) {
        if (seen.has(what)) yield `d${domain.domid} has two ports for ${what}`;
        seen.add(what);
      }
      for (const { port, vcpu } of domain.ports)
        if (vcpu >= domain.vcpus.length) yield `port ${port} of d${domain.domid} belongs to vCPU ${vcpu}, which there is not`;
    }
  },
};
