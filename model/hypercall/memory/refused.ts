/** Operations that PV guests have not, with the checks that Xen makes before it says so. */
import type { Errno } from '#spec/abi/errno.ts';
import { memory, XENMAPSPACE } from '#spec/abi/memory.ts';
import { findDomain } from '../../lens.ts';
import { toBigInt } from '../../word/word.ts';
import { fail } from '../result.ts';
import { exact, type MemoryRule, readArgument, whole } from './command.ts';
import { anyDomain, subjectOf } from './subject.ts';

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
export const podTarget = exact((machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.pod_target);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  if (!anyDomain(m, caller, argument.number('domid'))) return fail(m, 'ESRCH', 'memory/domain');
  return fail(m, 'EINVAL', 'memory/pod-refused');
});

export const accessOp: MemoryRule = (machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.access_op);
  if (!argument) return fail(m, 'EFAULT', 'memory/access-refused');
  const domid = argument.number('domid');
  if (!findDomain(m, domid)) return fail(m, 'ESRCH', 'memory/access-refused');
  return fail(m, domid === caller.domid ? 'EPERM' : 'EINVAL', 'memory/access-refused');
};

export const getVnumainfo = whole((machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.vnuma_topology_info);
  if (!argument) return fail(m, 'EFAULT', 'memory/argument');
  if (argument.number('pad') !== 0) return fail(m, 'EINVAL', 'memory/vnuma-pad');
  const subject = subjectOf(m, caller, argument.number('domid'));
  return 'kind' in subject ? subject : fail(m, 'EOPNOTSUPP', 'memory/vnuma-none');
});

export const machphysCompatMfnList = exact((machine) => fail(machine, 'EOPNOTSUPP', 'memory/machphys_compat-unsupported'));
