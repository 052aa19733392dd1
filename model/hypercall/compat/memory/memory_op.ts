/** memory_op of a 32-bit domain: which rule answers which operation. Chapter: spec/chapters/compat.md, "Hypercalls". */
import { COMPAT } from '#spec/abi/compat.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { MEMOP_CMD_MASK, MEMOP_EXTENT_SHIFT, memory } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../../journal.ts';
import type { Machine } from '../../../machine.ts';
import type { Word } from '../../../word/word.ts';
import { callOf, type MemoryRule } from '../../memory/command.ts';
import { machineMemoryMap } from '../../memory/machine_memory_map.ts';
import { memoryMap, setMemoryMap } from '../../memory/memory_map.ts';
import { memory_op as wideMemoryOp } from '../../memory/memory_op.ts';
import { accessOp, addToPhysmap, pagingOp, podTarget, removeFromPhysmap } from '../../memory/refused.ts';
import { fail, type Perform } from '../../result.ts';
import { machphysMapping } from '../narrow.ts';
import { areaAt, translated } from '../translation.ts';
import { acquireResource } from './acquire_resource.ts';
import { addToPhysmapBatch } from './batch.ts';
import { exchange } from './exchange.ts';
import { machphysMfnList } from './machphys_mfn_list.ts';
import { reservation } from './reservation.ts';
import { reservedDeviceMemoryMap } from './reserved_device_memory_map.ts';
import { getVnumainfo } from './virtual_nodes.ts';

const OP = SUBOPERATIONS.memory_op;

/** A structure alone, which goes back where it has answers. */
const structure =
  (narrow: Layout, wide: Layout, rule: MemoryRule, back = false): Perform =>
  (machine, caller, [cmd, arg]) =>
    translated(cite(machine, 'compat/memory_op-structure'), caller, arg, { narrow, wide, back }, (m) =>
      rule(m, caller, callOf([cmd, areaAt(0)])),
    );

/** Of operations of the architecture Xen compares the whole command. */
const exact =
  (rule: Perform): Perform =>
  (machine, caller, args) =>
    args[0].lo >>> MEMOP_EXTENT_SHIFT === 0 ? rule(machine, caller, args) : unknown(machine, caller, args);

const same: Perform = (machine: Machine, caller: VcpuRef, args: readonly Word[]) => wideMemoryOp(machine, caller, args);
const unknown: Perform = (machine) => fail(machine, 'ENOSYS', 'memory/unknown');

const pod = exact(structure(COMPAT.pod_target, memory.pod_target, podTarget, true));
const RULES: ReadonlyMap<number, Perform> = new Map<number, Perform>([
  [OP.increase_reservation, reservation],
  [OP.decrease_reservation, reservation],
  [OP.populate_physmap, reservation],
  [OP.exchange, exchange],
  [OP.acquire_resource, acquireResource],
  [OP.maximum_ram_page, same],
  [OP.current_reservation, same],
  [OP.maximum_reservation, same],
  [OP.maximum_gpfn, same],
  [OP.add_to_physmap, structure(COMPAT.add_to_physmap, memory.add_to_physmap, addToPhysmap)],
  [OP.add_to_physmap_batch, addToPhysmapBatch],
  [OP.remove_from_physmap, structure(COMPAT.remove_from_physmap, memory.remove_from_physmap, removeFromPhysmap)],
  [OP.access_op, structure(COMPAT.access_op, memory.access_op, accessOp)],
  [OP.get_vnumainfo, getVnumainfo],
  [OP.reserved_device_memory_map, reservedDeviceMemoryMap],
  [OP.set_memory_map, exact(structure(COMPAT.foreign_memory_map, memory.foreign_memory_map, setMemoryMap))],
  [OP.memory_map, exact(structure(COMPAT.memory_map, memory.memory_map, memoryMap, true))],
  [OP.machine_memory_map, exact(structure(COMPAT.memory_map, memory.memory_map, machineMemoryMap, true))],
  [OP.set_pod_target, pod],
  [OP.get_pod_target, pod],
  [OP.machphys_mapping, exact(machphysMapping)],
  [OP.machphys_mfn_list, exact(machphysMfnList)],
  [OP.machphys_compat_mfn_list, exact(machphysMfnList)],
  [OP.get_sharing_freed_pages, exact(same)],
  [OP.get_sharing_shared_pages, exact(same)],
  [OP.paging_op, exact((machine, caller, args) => pagingOp(machine, caller, callOf(args)))],
]);

/** claim_pages is unknown to 32-bit callers (`compat/memory_op-claim_pages`), as what has no rule is. */
export const memory_op: Perform = (machine, caller, args) => {
  const op = args[0].lo & MEMOP_CMD_MASK;
  const m = op === OP.claim_pages ? cite(machine, 'compat/memory_op-claim_pages') : machine;
  return (RULES.get(op) ?? unknown)(m, caller, args);
};
