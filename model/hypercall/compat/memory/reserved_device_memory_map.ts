/** XENMEM_reserved_device_memory_map of a 32-bit domain: rows of eight bytes, none of them without an IOMMU. */
import { COMPAT } from '#spec/abi/compat.ts';
import { MEMOP_EXTENT_SHIFT, XENMEM_RDM_ALL } from '#spec/abi/memory.ts';
import { copyFromGuest, copyToGuest } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import { word } from '../../../word/word.ts';
import { fieldsOf, withFields } from '../../guest_struct.ts';
import { done, fail, type Perform } from '../../result.ts';
import { listOk } from '../translation.ts';

const ROW = 8;

export const reservedDeviceMemoryMap: Perform = (machine, caller, [cmd, arg]) => {
  if (cmd.lo >>> MEMOP_EXTENT_SHIFT !== 0) return fail(machine, 'EINVAL', 'memory/extent-refused');
  const layout = COMPAT.reserved_device_memory_map;
  const read = copyFromGuest(cite(machine, 'compat/memory_op-reserved_device_memory_map'), caller, arg, layout.size);
  const fields = read.ok ? fieldsOf(read.bytes, layout) : null;
  if (!read.ok || !fields || !listOk(read.machine, caller, word(0, fields.buffer), fields.nr_entries, ROW))
    return fail(read.machine, 'EFAULT', 'memory/reserved_device_memory_map-arguments');
  if ((fields.flags & ~XENMEM_RDM_ALL) !== 0) return fail(read.machine, 'EINVAL', 'memory/reserved_device_memory_map-arguments');
  const told = copyToGuest(read.machine, caller, arg, withFields(read.bytes, layout, { nr_entries: 0 }));
  return told.ok
    ? done(told.machine, 'memory/reserved_device_memory_map-done')
    : fail(told.machine, 'EFAULT', 'memory/reserved_device_memory_map-done');
};
