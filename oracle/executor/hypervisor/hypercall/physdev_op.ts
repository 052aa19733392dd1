/** physdev_op: what a guest asks about physical devices. The command is the low half of the first argument. */
import { SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { IO_PORTS, physdev } from '#spec/abi/physdev.ts';
import { PGT } from '../frame_table.ts';
import { accessOk, copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { getPageAndType, putPageAndType } from '../mm/page_type.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { asDomain0, asOther, UNDECIDED } from './physdev_privilege.ts';
import { endOfInterrupt, getFreePirq, queryStatus, unmapPirq } from './pirq.ts';

const OP = SUBOPERATIONS.physdev_op;
const MOST_IOPL = 3;

export const physdev_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => physdevOp(machine, vcpu, args[0], args[2], args[3]);

/** The same for a structure at `hi:lo`. */
export const physdevOp = (machine: Machine, vcpu: Vcpu, cmd: number, lo: number, hi: number): number => {
  const read = (size: number): boolean => copyFromGuest(machine, vcpu, lo, hi, size);
  switch (cmd) {
    case OP.set_iopl:
      return read(physdev.set_iopl.size) ? setIopl(vcpu) : minus('EFAULT');
    case OP.set_iobitmap:
      return read(physdev.set_iobitmap.size) ? setIoBitmap(vcpu) : minus('EFAULT');
    case OP.pirq_eoi_gmfn_v1:
    case OP.pirq_eoi_gmfn_v2:
      return read(physdev.pirq_eoi_gmfn.size) ? setEoiMap(machine, vcpu) : minus('EFAULT');
    case OP.irq_unmask_notify:
      // No interrupt is held back for a domain that has none.
      return 0;
    case OP.free_irq_vector:
      return minus('ENOSYS');
    case OP.irq_status_query:
      return read(physdev.irq_status_query.size) ? queryStatus(machine, vcpu, lo, hi) : minus('EFAULT');
    case OP.eoi:
      return read(physdev.eoi.size) ? endOfInterrupt(vcpu.domain) : minus('EFAULT');
    case OP.get_free_pirq:
      return read(physdev.get_free_pirq.size) ? getFreePirq(machine, vcpu, lo, hi) : minus('EFAULT');
    case OP.unmap_pirq:
      return read(physdev.unmap_pirq.size) ? unmapPirq(machine, vcpu.domain) : minus('EFAULT');
  }
  const answer = vcpu.domain.privileged ? asDomain0(machine, vcpu, cmd, lo, hi) : asOther(machine, vcpu, cmd, lo, hi);
  if (answer !== UNDECIDED) return answer;
  const name = suboperation('physdev_op', cmd);
  if (name !== undefined) machine.notModelled(vcpu, `physdev_op/${name}`);
  return minus('ENOSYS');
};

const setIopl = (vcpu: Vcpu): number => {
  const iopl = scratch.getUint32(0, true);
  if (iopl > MOST_IOPL) return minus('EINVAL');
  vcpu.iopl = iopl;
  return 0;
};

/** Nothing is read yet: each port instruction looks at the bitmap as it stands then. */
const setIoBitmap = (vcpu: Vcpu): number => {
  const { bitmap, nr_ports } = physdev.set_iobitmap.fields;
  const lo = scratch.getInt32(bitmap.at, true);
  const hi = scratch.getInt32(bitmap.at + 4, true);
  const ports = scratch.getUint32(nr_ports.at, true);
  if (!accessOk(hi) || ports > IO_PORTS) return minus('EINVAL');
  vcpu.ioBitmap = { lo, hi, ports };
  return 0;
};

/** The page where Xen would tell which interrupts need their end told. It is held for the domain's life. */
const setEoiMap = (machine: Machine, vcpu: Vcpu): number => {
  const { domain } = vcpu;
  const { at } = physdev.pirq_eoi_gmfn.fields.gmfn;
  const mfn = scratch.getUint32(at + 4, true) === 0 ? scratch.getUint32(at, true) : -1;
  if (mfn < 0 || mfn >= machine.frames.count) return minus('EINVAL');
  if (getPageAndType(machine, vcpu, mfn, PGT.writable, domain.domid) !== 0) return minus('EINVAL');
  if (domain.eoiMapMfn >= 0) {
    putPageAndType(machine, vcpu, mfn);
    return minus('EBUSY');
  }
  domain.eoiMapMfn = mfn;
  return 0;
};
