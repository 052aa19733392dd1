/** XENMEM_get_vnumainfo of a 32-bit domain: its addresses have four bytes of the eight that each has room for. */
import { ERRNO } from '#spec/abi/errno.ts';
import { memory } from '#spec/abi/memory.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import { callOf } from '../../memory/command.ts';
import { getVnumainfo as wideVnumainfo } from '../../memory/virtual_nodes.ts';
import { fail, type Perform } from '../../result.ts';
import { areaAt, laidOut, putAway } from '../translation.ts';

const { size: SIZE, fields } = memory.vnuma_topology_info;
const POINTERS = [fields.vdistance, fields.vcpu_to_vnode, fields.vmemrange];

export const getVnumainfo: Perform = (machine, caller, [cmd, arg]) => {
  const read = copyFromGuest(cite(machine, 'compat/memory_op-vnumainfo'), caller, arg, SIZE);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'memory/argument');
  const structure = read.bytes.slice();
  for (const { at } of POINTERS) structure.fill(0, at + 4, at + 8);
  const { result, area } = putAway(wideVnumainfo(laidOut(read.machine, structure), caller, callOf([cmd, areaAt(0)])));
  if (result.kind !== 'reply' || (result.value.hi < 0 && result.value.lo !== -ERRNO.ENOBUFS)) return result;
  const counts = read.bytes.slice();
  counts.set(area.subarray(fields.nr_vnodes.at, fields.vdistance.at), fields.nr_vnodes.at);
  const told = copyToGuestUnchecked(result.machine, caller, arg, counts);
  return told.ok ? { ...result, machine: told.machine } : fail(told.machine, 'EFAULT', 'memory/vnuma-told');
};
