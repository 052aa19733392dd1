/** memory_op: about frames as a whole. */
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MEMOP_CMD_MASK } from '#spec/abi/memory.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { acquireResource } from './acquire_resource.ts';
import { hasExtent } from './argument.ts';
import { claimPages } from './claim_pages.ts';
import { domainNumber } from './domain_numbers.ts';
import { exchange } from './exchange.ts';
import { machineMemoryMap } from './machine_memory_map.ts';
import { machphysCompatMfnList, machphysMapping, machphysMfnList } from './machphys.ts';
import { memoryMap, setMemoryMap } from './memory_map.ts';
import {
  accessOp,
  addToPhysmap,
  addToPhysmapBatch,
  getVnumainfo,
  pagingOp,
  podTarget,
  removeFromPhysmap,
  reservedDeviceMemoryMap,
} from './refused.ts';
import { reservation } from './reservation.ts';

type Operation = (machine: Machine, vcpu: Vcpu, args: Int32Array, op: number) => number;

const OP = SUBOPERATIONS.memory_op;

/** Those that go on at an extent, or look at it themselves. */
const WITH_EXTENT: readonly (readonly [op: number, run: Operation])[] = [
  [OP.increase_reservation, reservation],
  [OP.decrease_reservation, reservation],
  [OP.populate_physmap, reservation],
  [OP.add_to_physmap, addToPhysmap],
  [OP.add_to_physmap_batch, addToPhysmapBatch],
  [OP.access_op, accessOp],
  [OP.acquire_resource, acquireResource],
];

/** Those that an extent makes invalid. */
const COMMON: readonly (readonly [op: number, run: Operation])[] = [
  [OP.exchange, exchange],
  [OP.maximum_ram_page, (machine) => machine.config.frames],
  [OP.current_reservation, domainNumber],
  [OP.maximum_reservation, domainNumber],
  [OP.maximum_gpfn, domainNumber],
  [OP.remove_from_physmap, removeFromPhysmap],
  [OP.claim_pages, claimPages],
  [OP.get_vnumainfo, getVnumainfo],
  [OP.reserved_device_memory_map, reservedDeviceMemoryMap],
];

/** Those that the x86 part knows by the whole command, which with an extent is none. */
const OF_X86: readonly (readonly [op: number, run: Operation])[] = [
  [OP.set_memory_map, setMemoryMap],
  [OP.memory_map, memoryMap],
  [OP.machine_memory_map, machineMemoryMap],
  [OP.machphys_mapping, machphysMapping],
  [OP.machphys_mfn_list, machphysMfnList],
  [OP.machphys_compat_mfn_list, machphysCompatMfnList],
  [OP.get_sharing_freed_pages, () => 0],
  [OP.get_sharing_shared_pages, () => 0],
  [OP.set_pod_target, podTarget],
  [OP.get_pod_target, podTarget],
  [OP.paging_op, pagingOp],
];

const unknown: Operation = () => -ERRNO.ENOSYS;
const refusing =
  (run: Operation, errno: number): Operation =>
  (machine, vcpu, args, op) =>
    hasExtent(args) ? -errno : run(machine, vcpu, args, op);

const OPERATIONS: readonly Operation[] = (() => {
  const table: Operation[] = Array.from({ length: MEMOP_CMD_MASK + 1 }, () => unknown);
  for (const [op, run] of WITH_EXTENT) table[op] = run;
  for (const [op, run] of COMMON) table[op] = refusing(run, ERRNO.EINVAL);
  for (const [op, run] of OF_X86) table[op] = refusing(run, ERRNO.ENOSYS);
  return table;
})();

export const memory_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const op = args[0] & MEMOP_CMD_MASK;
  return OPERATIONS[op](machine, vcpu, args, op);
};
