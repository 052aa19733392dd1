/** Event channels, whole: both ends of every channel, the bits that tell of them, virtual interrupts. */
import type { Channel } from '#model/domain.ts';
import type { Core } from '../core.ts';
import { bootSmall } from '../machine.ts';
import type { Values } from '../slots.ts';
import { channelActions } from './actions.ts';
import { brokenChannels } from './broken.ts';
import { channelCode } from './code.ts';
import { type ChannelScope, kindsOf, namedSlots, slotsOf, swapOf } from './scope.ts';
import { channelWatch } from './watch.ts';

/** A test of some port. */
const some =
  (scope: ChannelScope, test: (channel: Channel, domid: number, port: number) => boolean) =>
  (values: Values): boolean => {
    const { channels } = kindsOf(scope);
    const { kind } = slotsOf(scope);
    return scope.domids.some((domid, d) => {
      for (let port = 1; port <= scope.ports; port++) {
        const channel = channels[values[kind(d, port)]!]!;
        if (channel !== null && test(channel, domid, port)) return true;
      }
      return false;
    });
  };

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
  const { base, encode, decode } = channelCode(bootSmall(scope.domids, scope.vcpus), scope);
  const { kind } = slotsOf(scope);
  const ports = scope.domids.flatMap((_, d) => Array.from({ length: scope.ports }, (_, p) => kind(d, p + 1)));
  return {
    name,
    scope: `domains ${scope.domids.join(' and ')} of ${scope.vcpus} vCPU${scope.vcpus > 1 ? 's' : ''}, ${scope.ports} ports each${scope.bits ? ', all bits' : ''}`,
    slots: namedSlots(scope),
    initial: [base],
    actions: channelActions(scope),
    encode,
    decode,
    watch: channelWatch(scope, decode),
    symmetries: swaps ? [swapOf(scope)] : [],
    broken: brokenChannels(scope),
    sometimes: {
      'a channel between two domains': some(scope, (channel, domid) => channel.state === 'interdomain' && !isWithSelf(channel, domid)),
      'a channel of a domain with itself': some(scope, isWithSelf),
      'two ends with different port numbers': some(
        scope,
        (channel, _, port) => channel.state === 'interdomain' && channel.remotePort !== port,
      ),
      'no port is free': (values) => ports.every((slot) => values[slot] !== 0),
      ...(scope.vcpus > 1 && { 'a channel notifies the second vCPU': some(scope, ({ vcpu }) => vcpu === 1) }),
    },
    clauses: [...CLAUSES, ...(scope.bits ? CLAUSES_OF_BITS : [])],
    vcpus: scope.vcpus,
  };
};
