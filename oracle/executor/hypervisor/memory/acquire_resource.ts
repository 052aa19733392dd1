/** XENMEM_acquire_resource: the frames of another domain's grant table, by number. */

import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { ACQUIRE_STRIDE, MEMOP_MOST_EXTENTS, memory, XENMEM_resource, XENMEM_resource_grant_table_id } from '#spec/abi/memory.ts';
import { ACQUIRE_ONCE_MOST } from '#spec/releases/memory.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { framesForStatus, statusFramesFor } from '../grant_table/status_frames.ts';
import { growTable } from '../grant_table/table_size.ts';
import { copyToGuest, scratch } from '../guest_access.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { continueAt, extentHi, extentLo, hasExtent, offsetHi, offsetLo, readArgument, writeField } from './argument.ts';

/** As many "frames" has a resource of a type that Xen does not know: -EOPNOTSUPP taken for a count. */
const UNKNOWN_TYPE_FRAMES = TWO32 - ERRNO.EOPNOTSUPP;

/** How many frames a resource has at most; 0: there is no such. */
const mostFrames = (machine: Machine, type: number, id: number): number => {
  const grantFrames = machine.config.xen.max_grant_frames;
  switch (type) {
    case XENMEM_resource.grant_table:
      if (id === XENMEM_resource_grant_table_id.shared) return grantFrames;
      return id === XENMEM_resource_grant_table_id.status ? statusFramesFor(grantFrames) : 0;
    case XENMEM_resource.ioreq_server:
    case XENMEM_resource.vmtrace_buf:
      return 0;
    default:
      return machine.ways['acquire_resource-unknown_type'] === 'EINVAL' ? 0 : UNKNOWN_TYPE_FRAMES;
  }
};

/** Before resources had sizes: at most so many frames at once, of which whoever asks is told, whatever the resource. */
const acquireAtOnce = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { fields } = memory.acquire_resource;
  const count = scratch.getUint32(fields.nr_frames.at, true);
  const first = scratch.getBigUint64(fields.frame.at, true);
  const type = scratch.getUint16(fields.type.at, true);
  const id = scratch.getUint32(fields.id.at, true);
  const listLo = scratch.getInt32(fields.frame_list.at, true);
  const listHi = scratch.getInt32(fields.frame_list.at + 4, true);
  if (scratch.getInt32(fields.pad.at, true) !== 0) return -ERRNO.EINVAL;
  if ((listLo | listHi) === 0) {
    if (count !== 0) return -ERRNO.EINVAL;
    return writeField(machine, vcpu, args, fields.nr_frames.at, 4, ACQUIRE_ONCE_MOST) ? 0 : -ERRNO.EFAULT;
  }
  if (count > ACQUIRE_ONCE_MOST) return -ERRNO.E2BIG;
  const domain = machine.domainById(scratch.getUint16(fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (domain === vcpu.domain || !vcpu.domain.privileged) return -ERRNO.EPERM;
  if (type === XENMEM_resource.ioreq_server) return -ERRNO.EINVAL;
  if (type !== XENMEM_resource.grant_table) return -ERRNO.EOPNOTSUPP;
  if (count === 0) return 0;
  // The last frame is looked up first.
  const last = BigInt.asUintN(64, first + BigInt(count - 1));
  if (last < first || last >= BigInt(machine.config.xen.max_grant_frames)) return -ERRNO.EINVAL;
  const answer = framesOf(machine, domain, type, id, Number(first), count);
  if (answer !== 0) return answer;
  return copyToGuest(machine, vcpu, listLo, listHi, 8 * count, LIST) ? 0 : -ERRNO.EFAULT;
};

export const acquireResource = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.acquire_resource;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  if (machine.ways['acquire_resource-sizes'] === 'most 32') return acquireAtOnce(machine, vcpu, args);
  const count = scratch.getUint32(fields.nr_frames.at, true);
  const frame = scratch.getUint32(fields.frame.at, true);
  if (scratch.getInt32(fields.pad.at, true) !== 0) return -ERRNO.EINVAL;
  if (scratch.getInt32(fields.frame.at + 4, true) !== 0 || frame + count >= TWO32) return -ERRNO.EINVAL;
  const domain = machine.domainById(scratch.getUint16(fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (domain === vcpu.domain || !vcpu.domain.privileged) return -ERRNO.EPERM;
  const type = scratch.getUint16(fields.type.at, true);
  const id = scratch.getUint32(fields.id.at, true);
  const most = mostFrames(machine, type, id);
  if (most === 0) return -ERRNO.EINVAL;
  const listLo = scratch.getInt32(fields.frame_list.at, true);
  const listHi = scratch.getInt32(fields.frame_list.at + 4, true);
  if ((listLo | listHi) === 0) {
    if (count !== 0 || hasExtent(args)) return -ERRNO.EINVAL;
    return writeField(machine, vcpu, args, fields.nr_frames.at, 4, most | 0) ? 0 : -ERRNO.EFAULT;
  }
  const start = extentLo(args) >>> 0;
  if (extentHi(args) !== 0 || start >= count || count > MEMOP_MOST_EXTENTS) return -ERRNO.EINVAL;
  for (let done = start; ; ) {
    const todo = Math.min(ACQUIRE_STRIDE, count - done);
    machine.work.spend(WORK.entry, todo);
    const answer = framesOf(machine, domain, type, id, frame + done, todo);
    if (answer !== 0) return answer;
    if (!copyToGuest(machine, vcpu, offsetLo(listLo, 8 * done), offsetHi(listLo, listHi, 8 * done), 8 * todo, LIST)) return -ERRNO.EFAULT;
    done += todo;
    if (done === count) return 0;
    if (shouldPreempt(machine, vcpu)) return continueAt(SUBOPERATIONS.memory_op.acquire_resource, done, args);
  }
};

/** Frame numbers on their way to the guest. */
const LIST = new Uint8Array(8 * ACQUIRE_STRIDE);
const list = new DataView(LIST.buffer);

/** Put frames of a resource into LIST; the table grows for that. Status frames are of tables of the second version. */
const framesOf = (machine: Machine, domain: Domain, type: number, id: number, first: number, count: number): number => {
  if (type !== XENMEM_resource.grant_table) return -ERRNO.EOPNOTSUPP;
  const { frames, statusFrames, version } = domain.grants;
  const isStatus = id === XENMEM_resource_grant_table_id.status;
  const needed = first + count;
  if (isStatus && version !== 2) return -ERRNO.EINVAL;
  const given = isStatus ? statusFrames : frames;
  if (needed > given.length && !growTable(machine, domain, isStatus ? framesForStatus(needed) : needed)) return -ERRNO.EINVAL;
  for (let i = 0; i < count; i++) list.setUint32(8 * i, given[first + i], true);
  return 0;
};
