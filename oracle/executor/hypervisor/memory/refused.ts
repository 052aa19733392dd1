/** Operations that PV guests have not: what Xen looks at before it refuses them. And a list that is always empty. */
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MEMOP_CMD_MASK, memory, XENMAPSPACE, XENMEM_RDM_ALL } from '#spec/abi/memory.ts';
import { type VirtualNodes, VMEMRANGE_BYTES } from '../control/domctls/virtual_nodes.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { accessOk, copyToGuest, SCRATCH, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { extentHi, extentLo, readArgument, writeArgument } from './argument.ts';

const MOST_PHYSMAP_EXTENTS = 0xffff;

const isKnown = (machine: Machine, vcpu: Vcpu, domidAt: number): boolean =>
  domainByAnyId(machine, vcpu.domain, scratch.getUint16(domidAt, true)) !== undefined;

const isBeyondPhysmap = (args: Int32Array): boolean => extentHi(args) !== 0 || extentLo(args) >>> 0 > MOST_PHYSMAP_EXTENTS;

/** Their physical map is their own. */
export const addToPhysmap = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.add_to_physmap;
  if (isBeyondPhysmap(args)) return -ERRNO.EDOM;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  if (scratch.getUint32(fields.space.at, true) === XENMAPSPACE.gmfn_foreign) return -ERRNO.ENOSYS;
  return isKnown(machine, vcpu, fields.domid.at) ? -ERRNO.EACCES : -ERRNO.ESRCH;
};

export const addToPhysmapBatch = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.add_to_physmap_batch;
  if (isBeyondPhysmap(args)) return -ERRNO.EDOM;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  if (scratch.getUint16(fields.space.at, true) === XENMAPSPACE.gmfn_range) return -ERRNO.EOPNOTSUPP;
  return isKnown(machine, vcpu, fields.domid.at) ? -ERRNO.EACCES : -ERRNO.ESRCH;
};

export const removeFromPhysmap = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.remove_from_physmap;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  return isKnown(machine, vcpu, fields.domid.at) ? -ERRNO.EACCES : -ERRNO.ESRCH;
};

/** Population on demand is for HVM domains. */
export const podTarget = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.pod_target;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  if (!isKnown(machine, vcpu, fields.domid.at)) return -ERRNO.ESRCH;
  return machine.ways['pod_target-pv'] === 'answered' ? tellPod(machine, vcpu, args) : -ERRNO.EINVAL;
};

/** A domain whose pages are all there. */
const tellPod = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.pod_target;
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.domid.at, true))!;
  const target = scratch.getBigUint64(fields.target_pages.at, true);
  const isSet = (args[0] & MEMOP_CMD_MASK) === SUBOPERATIONS.memory_op.set_pod_target;
  if (isSet && target > BigInt(domain.maxPages)) return -ERRNO.EINVAL;
  scratch.setBigUint64(fields.tot_pages.at, BigInt(domain.pages), true);
  scratch.setBigUint64(fields.pod_cache_pages.at, 0n, true);
  scratch.setBigUint64(fields.pod_entries.at, 0n, true);
  return writeArgument(machine, vcpu, args, size) ? 0 : -ERRNO.EFAULT;
};

/** Nobody listens to paging. */
export const pagingOp = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (machine.ways['paging_op-built'] === 'absent') return -ERRNO.ENOSYS;
  const { size, fields } = memory.paging_op;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const domain = machine.domainById(scratch.getUint16(fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  return domain === vcpu.domain || !vcpu.domain.privileged ? -ERRNO.EPERM : -ERRNO.ENODEV;
};

/** So are access rights; they are those of another domain. */
export const accessOp = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.access_op;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const domain = machine.domainById(scratch.getUint16(fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  return domain === vcpu.domain ? -ERRNO.EPERM : -ERRNO.EINVAL;
};

/** What XEN_DOMCTL_setvnumainfo gave the domain. */
export const getVnumainfo = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.vnuma_topology_info;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  if (scratch.getUint16(fields.pad.at, true) !== 0) return -ERRNO.EINVAL;
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  return domain.virtualNodes === null ? -ERRNO.EOPNOTSUPP : tellVirtualNodes(machine, vcpu, args, domain, domain.virtualNodes);
};

/** Where there is no room for all, how much there is is told, else the arrays too. The structure is in the scratch buffer. */
const tellVirtualNodes = (machine: Machine, vcpu: Vcpu, args: Int32Array, domain: Domain, told: VirtualNodes): number => {
  const { size, fields } = memory.vnuma_topology_info;
  const answer = SCRATCH.slice(0, size);
  const view = new DataView(answer.buffer);
  const counts = [
    [fields.nr_vnodes.at, told.nodes],
    [fields.nr_vcpus.at, domain.vcpus.length],
    [fields.nr_vmemranges.at, told.ranges.length / VMEMRANGE_BYTES],
  ] as const;
  const hasRoom = counts.every(([at, count]) => view.getUint32(at, true) >= count);
  const store = (at: number, bytes: Uint8Array): boolean =>
    copyToGuest(machine, vcpu, view.getInt32(at, true), view.getInt32(at + 4, true), bytes.length, bytes);
  const isTold =
    !hasRoom ||
    (store(fields.vmemrange.at, told.ranges) && store(fields.vdistance.at, told.distances) && store(fields.vcpu_to_vnode.at, told.vcpus));
  if (!isTold) return -ERRNO.EFAULT;
  for (const [at, count] of counts) view.setUint32(at, count, true);
  SCRATCH.set(answer);
  if (!writeArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  return hasRoom ? 0 : -ERRNO.ENOBUFS;
};

/** The machine has no IOMMU, so that no memory is kept for devices. */
export const reservedDeviceMemoryMap = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.reserved_device_memory_map;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  if (!accessOk(scratch.getInt32(fields.buffer.at + 4, true))) return -ERRNO.EFAULT;
  if ((scratch.getUint32(fields.flags.at, true) & ~XENMEM_RDM_ALL) !== 0) return -ERRNO.EINVAL;
  scratch.setUint32(fields.nr_entries.at, 0, true);
  return writeArgument(machine, vcpu, args, size) ? 0 : -ERRNO.EFAULT;
};
