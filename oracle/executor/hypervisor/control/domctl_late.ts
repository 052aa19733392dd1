/** Domctls that look at arguments of their own before they ask for privilege. All domains are PV guests, and there is no IOMMU. */
import { control, XEN_DOMCTL, XEN_VM_EVENT_GET_VERSION } from '#spec/abi/control.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { IO_PORTS } from '#spec/abi/physdev.ts';
import { INTERFACE_VERSIONS } from '#spec/releases/control.ts';
import type { Domain } from '../domain.ts';
import { copyToGuest, scratch } from '../guest_access.ts';
import { pirqLimit } from '../hypercall/pirq.ts';
import type { Machine } from '../machine.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';

/** What is left to be asked is whether the caller is domain 0. */
export const ASK_PRIVILEGE = 1;

const PAGE_SHIFT = 12;
const u32 = (at: number): number => scratch.getUint32(at, true);
const u64 = (at: number): bigint => scratch.getBigUint64(at, true);

/**
 * The structure, in the scratch buffer, lies at `lo`, `hi` in the guest. `domain` is null where the command is about none. A negative
 * errno, 0 when the call is answered, or ASK_PRIVILEGE.
 */
export const lateDomctl = (machine: Machine, vcpu: Vcpu, cmd: number, domain: Domain | null, lo: number, hi: number): number => {
  switch (cmd) {
    case XEN_DOMCTL.irq_permission:
      // Nobody has an interrupt that could be passed on.
      return u32(control.irq_permission.fields.pirq.at) >= pirqLimit(vcpu.domain) ? -ERRNO.EINVAL : -ERRNO.EPERM;
    case XEN_DOMCTL.ioport_permission:
      return arePorts() ? ASK_PRIVILEGE : -ERRNO.EINVAL;
    case XEN_DOMCTL.memory_mapping:
      if (!areFrames(machine)) return -ERRNO.EINVAL;
      // A PV guest's map of its memory is its own: there is nothing to do for domain 0.
      return vcpu.domain.privileged ? 0 : -ERRNO.EPERM;
    case XEN_DOMCTL.set_target: {
      const target = machine.domainById(scratch.getUint16(control.set_target.fields.target.at, true));
      if (!target) return -ERRNO.ESRCH;
      return target === domain ? -ERRNO.EINVAL : -ERRNO.EOPNOTSUPP;
    }
    case XEN_DOMCTL.bind_pt_irq:
    case XEN_DOMCTL.unbind_pt_irq:
      return -ERRNO.EINVAL;
    case XEN_DOMCTL.vm_event_op:
      if (u32(control.vm_event_op.fields.op.at) === XEN_VM_EVENT_GET_VERSION) return tellVersion(machine, vcpu, lo, hi);
      return domain === null ? -ERRNO.ESRCH : ASK_PRIVILEGE;
    default:
      // ioport_mapping is for HVM guests, get_device_group for an IOMMU.
      return -ERRNO.EOPNOTSUPP;
  }
};

/** At least one port, and none above the last; sums have 32 bits. */
const arePorts = (): boolean => {
  const { first_port, nr_ports } = control.ioport_permission.fields;
  const first = u32(first_port.at);
  const end = (first + u32(nr_ports.at)) % TWO32;
  return end > first && end <= IO_PORTS;
};

/** At least one frame, all within the physical address width; neither range wraps around. */
const areFrames = (machine: Machine): boolean => {
  const { first_gfn, first_mfn, nr_mfns } = control.memory_mapping.fields;
  const [gfn, mfn, count] = [u64(first_gfn.at), u64(first_mfn.at), u64(nr_mfns.at)];
  const last = BigInt.asUintN(64, mfn + count - 1n);
  if (last < mfn || (mfn | last) >> BigInt(machine.physicalBits - PAGE_SHIFT) !== 0n) return false;
  return BigInt.asUintN(64, gfn + count - 1n) >= gfn;
};

/** Of the ring for events; nobody's privilege is asked. The whole structure is written back. */
const tellVersion = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { fields, size } = control.vm_event_op;
  scratch.setUint32(fields.version.at, INTERFACE_VERSIONS[machine.config.release].vm_event, true);
  return copyToGuest(machine, vcpu, lo, hi, size) ? 0 : -ERRNO.EFAULT;
};
