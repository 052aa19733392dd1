/** Bitmaps of processors and nodes, as the guest gave room for them. */
import { domctl, XEN_VCPUAFFINITY } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { copyFromGuest, copyToGuest } from '../../guest_access.ts';
import type { Machine } from '../../machine.ts';
import { TWO32 } from '../../u64.ts';
import type { Vcpu } from '../../vcpu.ts';
import type { Asker } from '../sysctls/asker.ts';
import { type Request, vcpuOf, type Work } from './request.ts';

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

const F = domctl.vcpuaffinity.fields;
const { HARD, SOFT } = XEN_VCPUAFFINITY;

/** The vCPU and what is asked of it; null where the call makes no sense. */
const understand = (request: Request): { readonly vcpu: Vcpu; readonly wants: (kind: number) => boolean } | null => {
  const { op } = request;
  const vcpu = vcpuOf(request, op.getUint32(F.vcpu.at, true));
  const flags = op.getUint32(F.flags.at, true);
  const wants = (kind: number): boolean => (flags & kind) !== 0;
  const hasRoom = (at: number): boolean => op.getBigUint64(at, true) !== 0n;
  if (!vcpu || flags === 0) return null;
  return (wants(HARD) && !hasRoom(F.hard_bitmap.at)) || (wants(SOFT) && !hasRoom(F.soft_bitmap.at)) ? null : { vcpu, wants };
};

const allOf = ({ config }: Machine): bigint => (1n << BigInt(config.pcpus)) - 1n;
const hardOf = (machine: Machine, { pinnedTo, hardAffinity }: Vcpu): bigint =>
  pinnedTo >= 0 ? 1n << BigInt(pinnedTo) : (hardAffinity ?? allOf(machine));

export const getVcpuAffinity: Work = (request) => {
  const asked = understand(request);
  if (!asked) return -ERRNO.EINVAL;
  const { vcpu, wants } = asked;
  const { machine } = request;
  const { pcpus } = machine.config;
  const first = wants(HARD) ? tellBitmap(request, F.hard_bitmap.at, pcpus, hardOf(machine, vcpu)) : 0;
  const second = wants(SOFT) ? tellBitmap(request, F.soft_bitmap.at, pcpus, vcpu.softAffinity ?? allOf(machine)) : 0;
  if (first !== 0 && machine.ways['vcpuaffinity-two_bitmaps'] === 'the first to fail') return first;
  return wants(SOFT) ? second : first;
};

/** The low bits of a bitmap of the guest's, one a pCPU. */
const readPcpus = (request: Request, at: number): bigint | null => {
  const given = readBitmap(request, at, request.machine.config.pcpus);
  return given === null ? null : given & allOf(request.machine);
};

/** What was set is told as far as it counts. Where one of two cannot be set neither is. */
export const setVcpuAffinity: Work = (request) => {
  const asked = understand(request);
  if (!asked) return -ERRNO.EINVAL;
  const { machine, caller } = request;
  const { pcpus } = machine.config;
  const { vcpu, wants } = asked;
  const before = vcpu.hardAffinity;
  let answer = 0;
  if (wants(HARD)) {
    const hard = readPcpus(request, F.hard_bitmap.at);
    if (hard === null) return -ERRNO.EFAULT;
    if (hard === 0n) return -ERRNO.EINVAL;
    // Where a vCPU may not run on some pCPU, or is kept on one, is not modelled.
    if (hard !== allOf(machine) || vcpu.pinnedTo >= 0) {
      machine.notModelled(caller, 'domctl');
      return -ERRNO.ENOSYS;
    }
    vcpu.hardAffinity = null;
    answer = tellBitmap(request, F.hard_bitmap.at, pcpus, hard);
  }
  if (!wants(SOFT)) return answer;
  const soft = readPcpus(request, F.soft_bitmap.at);
  if (soft === null) {
    vcpu.hardAffinity = before;
    return -ERRNO.EFAULT;
  }
  vcpu.softAffinity = soft === allOf(machine) ? null : soft;
  return tellBitmap(request, F.soft_bitmap.at, pcpus, soft & hardOf(machine, vcpu));
};
