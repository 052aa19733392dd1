/** HYPERVISOR_memory_op(cmd, arg): which rule answers which operation. Chapter: spec/chapters/memory_op.md. */
import { type SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { fail, type Perform } from '../result.ts';
import { acquireResource } from './acquire_resource.ts';
import { claimPages } from './claim_pages.ts';
import { callOf, type MemoryRule, whole } from './command.ts';
import { exchange } from './exchange.ts';
import { machineMemoryMap } from './machine_memory_map.ts';
import { machphysCompatMfnList, machphysMapping, machphysMfnList } from './machphys.ts';
import { memoryMap, setMemoryMap } from './memory_map.ts';
import { currentReservation, maximumGpfn, maximumRamPage, maximumReservation, sharingPages } from './numbers.ts';
import { accessOp, addToPhysmap, addToPhysmapBatch, pagingOp, podTarget, removeFromPhysmap } from './refused.ts';
import { decreaseReservation, increaseReservation, populatePhysmap } from './reservation.ts';
import { reservedDeviceMemoryMap } from './reserved_device_memory_map.ts';
import { getVnumainfo } from './virtual_nodes.ts';

const unknown: MemoryRule = (machine) => fail(machine, 'ENOSYS', 'memory/unknown');

const RULES: Readonly<Record<keyof typeof SUBOPERATIONS.memory_op, MemoryRule>> = {
  increase_reservation: increaseReservation,
  decrease_reservation: decreaseReservation,
  maximum_ram_page: maximumRamPage,
  current_reservation: currentReservation,
  maximum_reservation: maximumReservation,
  machphys_mfn_list: machphysMfnList,
  populate_physmap: populatePhysmap,
  add_to_physmap: addToPhysmap,
  memory_map: memoryMap,
  machine_memory_map: machineMemoryMap,
  exchange: whole(exchange),
  machphys_mapping: machphysMapping,
  set_memory_map: setMemoryMap,
  maximum_gpfn: maximumGpfn,
  remove_from_physmap: removeFromPhysmap,
  set_pod_target: podTarget,
  get_pod_target: podTarget,
  get_sharing_freed_pages: sharingPages,
  get_sharing_shared_pages: sharingPages,
  paging_op: pagingOp,
  access_op: accessOp,
  sharing_op: unknown,
  add_to_physmap_batch: addToPhysmapBatch,
  claim_pages: claimPages,
  machphys_compat_mfn_list: machphysCompatMfnList,
  get_vnumainfo: getVnumainfo,
  reserved_device_memory_map: reservedDeviceMemoryMap,
  acquire_resource: acquireResource,
};

export const memory_op: Perform = (machine, caller, args) => {
  const call = callOf(args);
  const name = suboperation('memory_op', call.op) as keyof typeof RULES | undefined;
  return (name ? RULES[name] : unknown)(machine, caller, call);
};
