/** hypfs_op: Xen's settings, read and written as files. */
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPFS_ENTRY_BYTES, HYPFS_MOST_PATH, XEN_HYPFS_VERSION, XEN_HYPFS_OP as XEN_OP } from '#spec/abi/hypfs.ts';
import { TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuest } from '../../guest_access.ts';
import type { Machine } from '../../machine.ts';
import { TWO32 } from '../../u64.ts';
import type { Vcpu } from '../../vcpu.ts';
import { contentsOf, type Found, find, headOf, listingOf, type Piece, sizeOf } from './tree.ts';
import { write } from './write.ts';

const OP = { cmd: 0, pathLo: 2, pathHi: 3, pathBytes: 4, dataLo: 6, dataHi: 7, dataBytes: 8 } as const;
const SLASH = '/'.charCodeAt(0);

export const hypfs_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  if (!TOOLS_ANSWERED[machine.config.release]) {
    machine.notModelled(vcpu, 'hypfs_op');
    return -ERRNO.ENOSYS;
  }
  if (args[OP.cmd] === XEN_OP.get_version)
    return args.subarray(OP.pathLo, OP.dataBytes + 2).every((half) => half === 0) ? XEN_HYPFS_VERSION : -ERRNO.EINVAL;
  const found = findEntry(machine, vcpu, args);
  if (typeof found === 'number') return found;
  switch (args[OP.cmd]) {
    case XEN_OP.read:
      return read(machine, vcpu, args, found);
    case XEN_OP.write_contents: {
      const length = args[OP.dataBytes] >>> 0;
      return write(machine, found, length, () => {
        const bytes = new Uint8Array(length);
        return copyFromGuest(machine, vcpu, args[OP.dataLo], args[OP.dataHi], length, bytes) ? bytes : null;
      });
    }
    default:
      return -ERRNO.EOPNOTSUPP;
  }
};

/** What the path of the call leads to, or a negative errno. */
const findEntry = (machine: Machine, vcpu: Vcpu, args: Int32Array): Found | number => {
  const length = args[OP.pathBytes] >>> 0;
  if (args[OP.pathBytes + 1] !== 0 || length > HYPFS_MOST_PATH) return -ERRNO.EINVAL;
  const bytes = new Uint8Array(length);
  if (!copyFromGuest(machine, vcpu, args[OP.pathLo], args[OP.pathHi], length, bytes)) return -ERRNO.EFAULT;
  if (length === 0 || bytes.indexOf(0) !== length - 1) return -ERRNO.EINVAL;
  if (bytes[0] !== SLASH) return -ERRNO[machine.ways['hypfs-relative']];
  return find(machine, String.fromCharCode(...bytes.subarray(0, -1))) ?? -ERRNO.ENOENT;
};

/** The head first, whatever room there is for the contents. */
const read = (machine: Machine, vcpu: Vcpu, args: Int32Array, found: Found): number => {
  const room = args[OP.dataBytes + 1] !== 0 ? Number.POSITIVE_INFINITY : args[OP.dataBytes] >>> 0;
  if (room < HYPFS_ENTRY_BYTES) return -ERRNO.EINVAL;
  let done = 0;
  const store = ({ bytes, stride }: Piece): boolean => {
    const low = (args[OP.dataLo] >>> 0) + done;
    const hi = low >= TWO32 ? (args[OP.dataHi] + 1) | 0 : args[OP.dataHi];
    done += stride;
    return copyToGuest(machine, vcpu, low | 0, hi, bytes.length, bytes);
  };
  if (!store({ bytes: headOf(machine, found), stride: HYPFS_ENTRY_BYTES })) return -ERRNO.EFAULT;
  if (room < HYPFS_ENTRY_BYTES + sizeOf(machine, found)) return -ERRNO.ENOBUFS;
  if (found.entry.kind === 'config') {
    machine.notModelled(vcpu, 'hypfs_op/config');
    return -ERRNO.ENOSYS;
  }
  const bytes = contentsOf(machine, found);
  const pieces = bytes ? [{ bytes, stride: bytes.length }] : (listingOf(machine, found.entry) ?? []);
  return pieces.every(store) ? 0 : -ERRNO.EFAULT;
};
