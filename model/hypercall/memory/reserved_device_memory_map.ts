/** XENMEM_reserved_device_memory_map: memory that devices keep for themselves; there is none without an IOMMU. */
import { memory, XENMEM_RDM_ALL } from '#spec/abi/memory.ts';
import { arrayOk } from '../../guest_copy.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { done, fail } from '../result.ts';
import { readArgument, whole, writeBack } from './command.ts';

const ROW = 16;

export const reservedDeviceMemoryMap = whole((machine, caller, { arg }) => {
  const { machine: m, argument } = readArgument(machine, caller, arg, memory.reserved_device_memory_map);
  if (!argument || !arrayOk(argument.word('buffer'), argument.number('nr_entries'), ROW))
    return fail(m, 'EFAULT', 'memory/reserved_device_memory_map-arguments');
  if ((argument.number('flags') & ~XENMEM_RDM_ALL) !== 0) return fail(m, 'EINVAL', 'memory/reserved_device_memory_map-arguments');
  const bytes = argument.bytes.slice();
  bytes.set(bytesOfNumber(0, 4), memory.reserved_device_memory_map.fields.nr_entries.at);
  const told = writeBack(m, caller, arg, 0, bytes);
  return told.ok
    ? done(told.machine, 'memory/reserved_device_memory_map-done')
    : fail(told.machine, 'EFAULT', 'memory/reserved_device_memory_map-done');
});
