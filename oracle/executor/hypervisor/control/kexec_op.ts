/** kexec_op: images of another kernel. None is ever loaded; which of two places the next one would go to is all that changes. */
import { ERRNO } from '#spec/abi/errno.ts';
import { KEXEC_CMD, KEXEC_RANGE, KEXEC_SEGMENT_BYTES, KEXEC_SEGMENT_MAX, KEXEC_TYPE, kexec, VMCOREINFO_BYTES } from '#spec/abi/kexec.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const KINDS = Object.keys(KEXEC_TYPE).length;
/** ELF's numbers of processors that Xen can start a kernel for. */
const STARTABLE: readonly number[] = [3, 62];

type Call = { readonly machine: Machine; readonly vcpu: Vcpu; readonly lo: number; readonly hi: number };

const stops = ({ machine, vcpu }: Call): number => {
  machine.notModelled(vcpu, 'kexec_op');
  return -ERRNO.ENOSYS;
};

/** The structure, into the scratch buffer. */
const take = ({ machine, vcpu, lo, hi }: Call, { size }: { readonly size: number }): boolean => copyFromGuest(machine, vcpu, lo, hi, size);

/** Each unloading lets the other place be the one that counts, whether anything was there or not. */
const unload = ({ machine }: Call, kind: number): number => {
  if (kind >= KINDS) return -ERRNO.EINVAL;
  machine.kexecPlaces ^= 1 << kind;
  return 0;
};

const range = (call: Call): number => {
  const { fields, size } = kexec.range;
  if (!take(call, kexec.range)) return -ERRNO.EFAULT;
  const { machine, vcpu, lo, hi } = call;
  const kind = scratch.getInt32(fields.range.at, true);
  if (kind === KEXEC_RANGE.CPU) return scratch.getUint32(fields.nr.at, true) < machine.config.pcpus ? -ERRNO.EINVAL : -ERRNO.ERANGE;
  if (kind !== KEXEC_RANGE.CRASH && kind !== KEXEC_RANGE.XEN && kind !== KEXEC_RANGE.VMCOREINFO) return -ERRNO.EINVAL;
  scratch.setBigUint64(fields.size.at, kind === KEXEC_RANGE.VMCOREINFO ? BigInt(VMCOREINFO_BYTES) : 0n, true);
  scratch.setBigUint64(fields.start.at, 0n, true);
  return copyToGuest(machine, vcpu, lo, hi, size) ? 0 : -ERRNO.EFAULT;
};

/** Only what cannot be loaded is modelled. There is no room for a crash kernel. */
const load = (call: Call): number => {
  const { machine, vcpu } = call;
  const { type, arch, nr_segments, segments } = kexec.load.fields;
  if (!take(call, kexec.load)) return -ERRNO.EFAULT;
  const kind = scratch.getUint8(type.at);
  const processor = scratch.getUint16(arch.at, true);
  const count = scratch.getUint32(nr_segments.at, true);
  if (count >= KEXEC_SEGMENT_MAX) return -ERRNO.EINVAL;
  const [lo, hi] = [scratch.getInt32(segments.at, true), scratch.getInt32(segments.at + 4, true)];
  if (!copyFromGuest(machine, vcpu, lo, hi, KEXEC_SEGMENT_BYTES * count)) return -ERRNO.EFAULT;
  if (kind >= KINDS) return -ERRNO.EINVAL;
  if (kind === KEXEC_TYPE.CRASH) return -ERRNO.EADDRNOTAVAIL;
  return count === 0 && !STARTABLE.includes(processor) ? -ERRNO.EINVAL : stops(call);
};

export const kexec_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  const call: Call = { machine, vcpu, lo: args[2], hi: args[3] };
  if (!TOOLS_ANSWERED[machine.config.release]) return stops(call);
  const unknown = machine.ways['kexec_op-unknown'] === 'nothing' ? 0 : -ERRNO.EOPNOTSUPP;
  if (args[1] !== 0) return unknown;
  switch (args[0]) {
    case KEXEC_CMD.kexec:
      if (!take(call, kexec.exec)) return -ERRNO.EFAULT;
      return scratch.getUint32(kexec.exec.fields.type.at, true) < KINDS ? -ERRNO.ENOENT : -ERRNO.EINVAL;
    case KEXEC_CMD.load_v1:
      return take(call, kexec.image_v1) ? stops(call) : -ERRNO.EFAULT;
    case KEXEC_CMD.unload_v1:
      return take(call, kexec.image_v1) ? unload(call, scratch.getUint8(kexec.image_v1.fields.type.at)) : -ERRNO.EFAULT;
    case KEXEC_CMD.get_range:
      return range(call);
    case KEXEC_CMD.load:
      return load(call);
    case KEXEC_CMD.unload:
      return take(call, kexec.kind) ? unload(call, scratch.getUint8(kexec.kind.fields.type.at)) : -ERRNO.EFAULT;
    case KEXEC_CMD.status: {
      if (!take(call, kexec.kind)) return -ERRNO.EFAULT;
      const kind = scratch.getUint8(kexec.kind.fields.type.at);
      return kind < KINDS ? (machine.kexecPlaces >> kind) & 1 : -ERRNO.EINVAL;
    }
    default:
      return unknown;
  }
};
