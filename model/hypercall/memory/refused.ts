/** Operations that PV guests have not, with the checks that Xen makes before it says so. */
import type { Errno } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { memory, XENMAPSPACE } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isZero, toBigInt } from '../../word/word.ts';
import { isControlDomain, self } from '../domids.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { type Argument, exact, type MemoryCall, type MemoryRule, readArgument, whole, writeBack } from './command.ts';
import { anyDomain } from './subject.ts';

const MOST_PAGES = 0xffffn;

const physmap =
  (layout: typeof memory.add_to_physmap | typeof memory.add_to_physmap_batch, space: number, errno: Errno): MemoryRule =>
  (machine, caller, { extent, arg }) => {
    if (toBigInt(extent) > MOST_PAGES) return fail(machine, 'EDOM', 'memory/physmap-extent');
    const { machine: m, argument } = readArgument(machine, caller, arg, layout);
    if (!argument) return fail(m, 'EFAULT', 'memory/argument');
    if (argument.number('space') === space) return fail(m, errno, 'memory/physmap-space');
    if (!anyDomain(m, caller, argument.number('domid'))) return fail(m, 'ESRCH', 'memory/domain');
    return fail(m, 'EACCES', 'memory/physmap-refused');
  };

export const addToPhysmap = physmap(memory.add_to_physmap, XENMAPSPACE.gmfn_foreign, 'ENOSYS');
export const addToPhysmapBatch = physmap(memory.add_to_physmap_batch, XENMAPSPACE.gmfn_range, 'EOPNOTSUPP');

export const removeFromPhysmap = whole((machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.remove_from_physmap);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  if (!anyDomain(m, caller, argument.number('domid'))) return fail(m, 'ESRCH', 'memory/domain');
  return fail(m, 'EACCES', 'memory/physmap-refused');
});

/** XENMEM_set_pod_target, XENMEM_get_pod_target. */
export const podTarget = exact((machine, caller, call) => {
  const { machine: m, argument } = readArgument(machine, caller, call.arg, memory.pod_target);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  if (!anyDomain(m, caller, argument.number('domid'))) return fail(m, 'ESRCH', 'memory/domain');
  if (waysOf(m.config.release)['pod_target-pv'] === 'answered') return podAnswered(m, caller, call, argument);
  return fail(m, 'EINVAL', 'memory/pod-refused');
});

/** A PV domain has pages, and nothing that is populated on demand. */
const podAnswered = (
  machine: Machine,
  caller: VcpuRef,
  { op, arg }: MemoryCall,
  argument: Argument<typeof memory.pod_target>,
): HypercallResult => {
  if (!isControlDomain(caller)) return fail(machine, 'EPERM', 'memory/pod-refused');
  const domain = findDomain(machine, self(argument.number('domid'), caller));
  if (!domain) return notModelled(machine, caller, 'memory_op/pod_target');
  const sets = op === SUBOPERATIONS.memory_op.set_pod_target;
  if (sets && argument.big('target_pages') > BigInt(domain.maxPages)) return fail(machine, 'EINVAL', 'memory/pod-refused');
  const { fields } = memory.pod_target;
  const bytes = argument.bytes.slice();
  for (const [field, value] of [
    [fields.tot_pages, domain.pages],
    [fields.pod_cache_pages, 0],
    [fields.pod_entries, 0],
  ] as const)
    bytes.set(bytesOfNumber(value, 8), field.at);
  const told = writeBack(machine, caller, arg, 0, bytes);
  return told.ok ? done(told.machine, 'memory/pod-refused') : fail(told.machine, 'EFAULT', 'memory/pod-refused');
};

/** XENMEM_paging_op, where Xen is built with it: no domain has its pages paged out. */
export const pagingOp: MemoryRule = (machine, caller, call) => {
  if (waysOf(machine.config.release)['paging_op-built'] === 'absent' || !isZero(call.extent))
    return fail(machine, 'ENOSYS', 'memory/unknown');
  const { machine: m, argument } = readArgument(machine, caller, call.arg, memory.paging_op);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  const domid = argument.number('domid');
  if (!findDomain(m, domid)) return fail(m, 'ESRCH', 'memory/domain');
  if (domid === caller.domid || !isControlDomain(caller)) return fail(m, 'EPERM', 'memory/unknown');
  return fail(m, 'ENODEV', 'memory/unknown');
};

export const accessOp: MemoryRule = (machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.access_op);
  if (!argument) return fail(m, 'EFAULT', 'memory/access-refused');
  const domid = argument.number('domid');
  if (!findDomain(m, domid)) return fail(m, 'ESRCH', 'memory/access-refused');
  return fail(m, domid === caller.domid ? 'EPERM' : 'EINVAL', 'memory/access-refused');
};
