/** XENMEM_get_vnumainfo: the virtual nodes of a domain. */
import { memory } from '#spec/abi/memory.ts';
import { copyToGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { withFields } from '../guest_struct.ts';
import { done, fail } from '../result.ts';
import { readArgument, whole } from './command.ts';
import { subjectOf } from './subject.ts';

const RANGE = 24;

export const getVnumainfo = whole((machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.vnuma_topology_info);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  if (argument.number('pad') !== 0) return fail(m, 'EINVAL', 'memory/vnuma-pad');
  const subject = subjectOf(m, caller, argument.number('domid'));
  if ('kind' in subject) return subject;
  const { virtualNodes, vcpus } = subject.domain;
  if (!virtualNodes) return fail(m, 'EOPNOTSUPP', 'memory/vnuma-none');
  const there = { nr_vnodes: virtualNodes.physical.length, nr_vcpus: vcpus.length, nr_vmemranges: virtualNodes.ranges.length / RANGE };
  const after = withFields(argument.bytes, memory.vnuma_topology_info, there);
  if ((['nr_vnodes', 'nr_vcpus', 'nr_vmemranges'] as const).some((name) => argument.number(name) < there[name])) {
    const told = copyToGuestUnchecked(m, caller, arg, after);
    return fail(told.machine, told.ok ? 'ENOBUFS' : 'EFAULT', 'memory/vnuma-room');
  }
  let stored = { ok: true, machine: m };
  for (const [name, bytes] of [
    ['vmemrange', virtualNodes.ranges],
    ['vdistance', virtualNodes.distances],
    ['vcpu_to_vnode', virtualNodes.ofVcpus],
  ] as const)
    if (stored.ok) stored = copyToGuest(stored.machine, caller, argument.word(name), bytes);
  if (stored.ok) stored = copyToGuestUnchecked(stored.machine, caller, arg, after);
  return stored.ok ? done(stored.machine, 'memory/vnuma-told') : fail(stored.machine, 'EFAULT', 'memory/vnuma-told');
});
