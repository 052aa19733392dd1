/** hvm_op and dm_op: about HVM guests, of which there are none. */
import { ERRNO } from '#spec/abi/errno.ts';
import { DM_OP_MOST_BUFFERS, HVM_NR_PARAMS, hvm, XENTRACE_EVENTS, XENTRACE_MOST_EXTRA } from '#spec/abi/hvm.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const OP = {
  set_param: 0,
  get_param: 1,
  flush_tlbs: 5,
  pagetable_dying: 9,
  get_time: 10,
  xentrace: 11,
  get_mem_type: 15,
  set_evtchn_upcall_vector: 23,
  guest_request_vm_event: 24,
  altp2m: 25,
} as const;

export const hvm_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (args[1] !== 0) return -ERRNO.ENOSYS;
  switch (args[0]) {
    case OP.set_param:
    case OP.get_param:
      return parameter(machine, vcpu, args);
    case OP.flush_tlbs:
    case OP.set_evtchn_upcall_vector:
      return -ERRNO.EINVAL;
    case OP.pagetable_dying:
      return pagetableDying(machine, vcpu, args);
    case OP.get_mem_type:
      return memoryType(machine, vcpu, args);
    case OP.altp2m:
      return -ERRNO.EOPNOTSUPP;
    case OP.get_time:
    case OP.xentrace:
    case OP.guest_request_vm_event:
      return forAnybody(machine, vcpu, args);
  }
  return -ERRNO.ENOSYS;
};

/** What Xen does for a PV guest, too. */
const forAnybody = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!TOOLS_ANSWERED[machine.config.release]) {
    machine.notModelled(vcpu, 'hvm_op');
    return -ERRNO.ENOSYS;
  }
  const [lo, hi] = [args[2], args[3]];
  switch (args[0]) {
    case OP.get_time:
      scratch.setBigUint64(hvm.get_time.fields.now.at, BigInt(machine.now), true);
      return copyToGuest(machine, vcpu, lo, hi, hvm.get_time.size) ? 0 : -ERRNO.EFAULT;
    case OP.xentrace:
      // Nothing is traced.
      return copyFromGuest(machine, vcpu, lo, hi, hvm.xentrace.size) ? (isTraceable() ? 0 : -ERRNO.EINVAL) : -ERRNO.EFAULT;
    default:
      // Nobody watches the guest.
      return (lo | hi) === 0 ? 0 : -ERRNO.EINVAL;
  }
};

const isTraceable = (): boolean => {
  const { event, extra_bytes } = hvm.xentrace.fields;
  return scratch.getUint16(event.at, true) < XENTRACE_EVENTS && scratch.getUint16(extra_bytes.at, true) <= XENTRACE_MOST_EXTRA;
};

/** The structure is in the scratch buffer; undefined: no such domain. */
const named = (machine: Machine, vcpu: Vcpu): Domain | undefined => domainByAnyId(machine, vcpu.domain, scratch.getUint16(0, true));

const parameter = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = hvm.param;
  if (!copyFromGuest(machine, vcpu, args[2], args[3], size)) return -ERRNO.EFAULT;
  if (scratch.getUint32(fields.index.at, true) >= HVM_NR_PARAMS) return -ERRNO.EINVAL;
  return named(machine, vcpu) ? -ERRNO.EINVAL : -ERRNO.ESRCH;
};

const pagetableDying = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!copyFromGuest(machine, vcpu, args[2], args[3], hvm.pagetable_dying.size)) return -ERRNO.EFAULT;
  const domain = named(machine, vcpu);
  if (!domain) return -ERRNO.ESRCH;
  return domain === vcpu.domain ? -ERRNO.EINVAL : -ERRNO.EOPNOTSUPP;
};

const memoryType = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!copyFromGuest(machine, vcpu, args[2], args[3], hvm.get_mem_type.size)) return -ERRNO.EFAULT;
  const domain = named(machine, vcpu);
  if (!domain) return -ERRNO.ESRCH;
  return isTargetOrPrivileged(vcpu.domain, domain) ? -ERRNO.EINVAL : -ERRNO.EPERM;
};

/** Arguments: domid, number of buffers, their descriptions. */
export const dm_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const count = args[2] >>> 0;
  if (count === 0 && machine.ways['dm_op-no_buffers'] === 'ENODATA') return -ERRNO.ENODATA;
  if (count > DM_OP_MOST_BUFFERS) return -ERRNO.E2BIG;
  if (count > 0 && !copyFromGuest(machine, vcpu, args[4], args[5], count * hvm.dm_op_buf.size)) return -ERRNO.EFAULT;
  const domain = machine.domainById(args[0] & 0xffff);
  if (!domain) return -ERRNO.ESRCH;
  return domain === vcpu.domain ? -ERRNO.EPERM : -ERRNO.EINVAL;
};
