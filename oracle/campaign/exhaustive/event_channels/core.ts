/** Event channels, whole: both ends of every channel, the bits that tell of them, virtual interrupts. */
import { bootMachine } from '#model/domain/boot.ts';
import type { Channel } from '#model/domain.ts';
import type { Machine } from '#model/machine.ts';
import { itemAt, itemsOf } from '#model/numbered.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import type { PortObservation } from '#spec/observation.ts';
import { type ChannelEnds, doubledChannels, unpairedChannels } from '#spec/properties/event_channels.ts';
import { ONE_PAGE_KERNEL } from '../../../image/one_page.ts';
import type { Core } from '../core.ts';
import { actionsOf } from './actions.ts';
import { channelCode } from './code.ts';
import type { ChannelScope } from './scope.ts';

const PAGES = 1024;

const booted = ({ domids, vcpus }: ChannelScope): Machine => {
  const all = [...new Set([0, ...domids])].sort((a, b) => a - b);
  const config = debian_4_17(all.map((domid) => ({ domid, pages: PAGES, vcpus, cmdline: '' })));
  return bootMachine(
    { ...config, frames: 0x4000 },
    all.map(() => ONE_PAGE_KERNEL),
  );
};

const observed = (port: number, channel: Channel): PortObservation => ({
  port,
  status: channel.state,
  vcpu: channel.vcpu,
  remote_dom: 'remoteDom' in channel ? channel.remoteDom : null,
  remote_port: channel.state === 'interdomain' ? channel.remotePort : null,
  number: channel.state === 'virq' ? channel.virq : null,
});

/** What the properties look at: of the ports that the scope has, beyond which `encode` finds none. */
const endsOf = (machine: Machine, { ports }: ChannelScope): ChannelEnds =>
  machine.domains.map(({ domid, channels, vcpus }) => {
    const ends: PortObservation[] = [];
    for (let port = 0; port <= ports; port++) {
      const channel = itemAt(channels, port);
      if (channel !== null) ends.push(observed(port, channel));
    }
    return { domid, vcpus, ports: ends };
  });

const broken =
  (scope: ChannelScope) =>
  (machine: Machine): string | null => {
    const ends = endsOf(machine, scope);
    for (const rule of [unpairedChannels, doubledChannels]) for (const what of rule(ends)) return what;
    return null;
  };

const some = (test: (channel: Channel, domid: number, port: number) => boolean) => (machine: Machine) =>
  machine.domains.some(({ domid, channels }) => itemsOf(channels).some(([port, channel]) => test(channel, domid, port)));

const isWithSelf = (channel: Channel, domid: number): boolean => channel.state === 'interdomain' && channel.remoteDom === domid;

/** Clauses that a search must come by. */
const CLAUSES = [
  'evtchn/alloc_unbound-allocated',
  'evtchn/alloc_unbound-permission',
  'evtchn/bind_interdomain-bound',
  'evtchn/bind_interdomain-unbound',
  'evtchn/bind_ipi-bound',
  'evtchn/bind_virq-bound',
  'evtchn/bind_virq-exists',
  'evtchn/bind_vcpu-bound',
  'evtchn/bind_vcpu-state',
  'evtchn/close-closed',
  'evtchn/close-free',
  'evtchn/close-interdomain',
  'evtchn/close-virq',
  'evtchn/reset-done',
  'evtchn/reset-permission',
  'evtchn/status-reported',
] as const;

const CLAUSES_OF_BITS = [
  'evtchn/send-interdomain',
  'evtchn/send-ipi',
  'evtchn/send-unbound',
  'evtchn/send-state',
  'evtchn/raise-again',
  'evtchn/raise-masked',
  'evtchn/raise-selected',
  'evtchn/raise-upcall',
  'evtchn/unmask-unmasked',
  'evtchn/unmask-unusable',
  'evtchn/virq-raised',
  'evtchn/virq-unbound',
] as const;

/** `swaps`: domains without privilege can be taken for one another. */
export const channelCore = (name: string, scope: ChannelScope, swaps = !scope.domids.includes(0)): Core => {
  const { base, bound, encode, decode } = channelCode(booted(scope), scope, swaps);
  const all = scope.ports * 2;
  return {
    name,
    scope: `domains ${scope.domids.join(' and ')} of ${scope.vcpus} vCPU${scope.vcpus > 1 ? 's' : ''}, ${scope.ports} ports each${scope.bits ? ', all bits' : ''}`,
    bound,
    initial: [base],
    actions: actionsOf(scope),
    encode,
    decode,
    broken: broken(scope),
    sometimes: {
      'a channel between two domains': some((channel, domid) => channel.state === 'interdomain' && !isWithSelf(channel, domid)),
      'a channel of a domain with itself': some(isWithSelf),
      'two ends with different port numbers': some((channel, _, port) => channel.state === 'interdomain' && channel.remotePort !== port),
      'no port is free': (machine) => machine.domains.reduce((sum, { channels }) => sum + itemsOf(channels).length, 0) === all,
      ...(scope.vcpus > 1 && { 'a channel notifies the second vCPU': some(({ vcpu }) => vcpu === 1) }),
    },
    clauses: [...CLAUSES, ...(scope.bits ? CLAUSES_OF_BITS : [])],
    vcpus: scope.vcpus,
  };
};
