/** Bitmaps of processors and nodes, as the guest gave room for them. */
import { domctl, XEN_VCPUAFFINITY } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { copyFromGuest, copyToGuest } from '../../guest_access.ts';
import { TWO32 } from '../../u64.ts';
import type { Asker } from '../sysctls/asker.ts';
import { vcpuOf, type Work } from './request.ts';

/** Xen keeps so many nodes, of which the machine has the first. */
const NODES = 64;
const FIRST_NODE = 1n;
const ALL_NODES = 0xffff_ffff_ffff_ffffn;
/** As many zero bytes as are stored in one piece. */
const ZEROS = new Uint8Array(4096);

/** Store the low `bits` bits of `value`, and zeros up to the end of the guest's room. The room's address and its number of bits stand at `at`. */
export const tellBitmap = ({ machine, caller, op }: Asker, at: number, bits: number, value: bigint): number => {
  const lo = op.getUint32(at, true);
  const hi = op.getInt32(at + 4, true);
  const room = ((op.getUint32(at + 8, true) + 7) >>> 0) >>> 3;
  const known = Math.min(room, (bits + 7) >>> 3);
  const bytes = Uint8Array.from({ length: known }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  const store = (offset: number, from: Uint8Array, length: number): boolean => {
    const low = lo + offset;
    return copyToGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, length, from);
  };
  if (known > 0 && !store(0, bytes, known)) return -ERRNO.EFAULT;
  for (let done = known; done < room; ) {
    const length = Math.min(room - done, ZEROS.length);
    if (!store(done, ZEROS, length)) return -ERRNO.EFAULT;
    done += length;
  }
  return 0;
};

/** The low `bits` bits of a bitmap of the guest's, or fewer where its number of bits is smaller; null when they cannot be read. */
export const readBitmap = ({ machine, caller, op }: Asker, at: number, bits: number): bigint | null => {
  const given = op.getUint32(at + 8, true);
  const room = ((given + 7) >>> 0) >>> 3;
  const bytes = new Uint8Array(Math.min(room, (bits + 7) >>> 3));
  if (!copyFromGuest(machine, caller, op.getInt32(at, true), op.getInt32(at + 4, true), bytes.length, bytes)) return null;
  const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return room === bytes.length && (given & 7) !== 0 ? BigInt.asUintN(given, value) : value;
};

export const getNodeAffinity: Work = (request) =>
  tellBitmap(request, domctl.nodeaffinity.fields.bitmap.at, NODES, request.domain.nodes ?? FIRST_NODE);

/** All nodes stand for no wish. */
export const setNodeAffinity: Work = (request) => {
  const nodes = readBitmap(request, domctl.nodeaffinity.fields.bitmap.at, NODES);
  if (nodes === null) return -ERRNO.EFAULT;
  if ((nodes & FIRST_NODE) === 0n) return -ERRNO.EINVAL;
  request.domain.nodes = nodes === ALL_NODES ? null : nodes;
  return 0;
};

export const getVcpuAffinity: Work = (request) => {
  const { machine, op } = request;
  const { fields } = domctl.vcpuaffinity;
  const vcpu = vcpuOf(request, op.getUint32(fields.vcpu.at, true));
  if (!vcpu) return -ERRNO.EINVAL;
  const flags = op.getUint32(fields.flags.at, true);
  const hasRoom = (at: number): boolean => op.getBigUint64(at, true) !== 0n;
  const wants = (kind: number): boolean => (flags & kind) !== 0;
  const { HARD, SOFT } = XEN_VCPUAFFINITY;
  if (!wants(HARD | SOFT)) return -ERRNO.EINVAL;
  if ((wants(HARD) && !hasRoom(fields.hard_bitmap.at)) || (wants(SOFT) && !hasRoom(fields.soft_bitmap.at))) return -ERRNO.EINVAL;
  const { pcpus } = machine.config;
  const all = (1n << BigInt(pcpus)) - 1n;
  const hard = vcpu.pinnedTo >= 0 ? 1n << BigInt(vcpu.pinnedTo) : all;
  const first = wants(HARD) ? tellBitmap(request, fields.hard_bitmap.at, pcpus, hard) : 0;
  const second = wants(SOFT) ? tellBitmap(request, fields.soft_bitmap.at, pcpus, all) : 0;
  if (first !== 0 && machine.ways['vcpuaffinity-two_bitmaps'] === 'the first to fail') return first;
  return wants(SOFT) ? second : first;
};
