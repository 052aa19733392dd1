/** XENMEM_add_to_physmap_batch of a 32-bit domain. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { MEMOP_EXTENT_SHIFT, memory } from '#spec/abi/memory.ts';
import { copyFromGuest } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import { word } from '../../../word/word.ts';
import { fieldsOf } from '../../guest_struct.ts';
import { callOf } from '../../memory/command.ts';
import { addToPhysmapBatch as wideBatch } from '../../memory/refused.ts';
import { fail, type Perform } from '../../result.ts';
import { areaAt, elementOf, laidOut, listOk, putAway, roomFor, widen } from '../translation.ts';

/** Pages and indexes are read ahead of all else that the 64-bit operation asks; a PV domain is refused then. */
export const addToPhysmapBatch: Perform = (machine, caller, [cmd, arg]) => {
  const read = copyFromGuest(machine, caller, arg, COMPAT.add_to_physmap_batch.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'memory/argument');
  const { size, idxs, gpfns, errs } = fieldsOf(read.bytes, COMPAT.add_to_physmap_batch);
  let m = cite(read.machine, 'compat/memory_op-batch');
  if ([idxs, gpfns, errs].some((list) => !listOk(m, caller, word(0, list), size, 4))) return fail(m, 'EFAULT', 'compat/array');
  const start = cmd.lo >>> MEMOP_EXTENT_SHIFT;
  const end = Math.min(start + roomFor(memory.add_to_physmap_batch.size, 16), size);
  for (let i = start; i < end; i++)
    for (const list of [idxs, gpfns]) {
      const element = elementOf(m, caller, word(0, list), i);
      m = element.machine;
      if (element.value === null) return fail(m, 'EFAULT', 'compat/memory_op-batch');
    }
  const structure = widen(read.bytes, COMPAT.add_to_physmap_batch, memory.add_to_physmap_batch);
  return putAway(wideBatch(laidOut(m, structure), caller, callOf([cmd, areaAt(0)]))).result;
};
