/** set_memory_map, memory_map: the map of a domain's pseudo-physical memory, as somebody has set it. */
import { ERRNO } from '#spec/abi/errno.ts';
import { E820MAX, e820entry, memory } from '#spec/abi/memory.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { readArgument, writeArgument } from './argument.ts';

const { size: ROW, fields: E } = e820entry;

export const setMemoryMap = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.foreign_memory_map;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const count = scratch.getUint32(fields.nr_entries.at, true);
  const lo = scratch.getInt32(fields.buffer.at, true);
  const hi = scratch.getInt32(fields.buffer.at + 4, true);
  if (count > E820MAX) return -ERRNO.EINVAL;
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.domid.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  const rows = new Uint8Array(count * ROW);
  // No rows can be read from anywhere.
  if (count > 0 && !copyFromGuest(machine, vcpu, lo, hi, rows.length, rows)) return -ERRNO.EFAULT;
  const view = new DataView(rows.buffer);
  domain.memoryMap = Array.from({ length: count }, (_, i) => [
    view.getBigUint64(i * ROW + E.addr.at, true),
    view.getBigUint64(i * ROW + E.size.at, true),
    view.getUint32(i * ROW + E.type.at, true),
  ]);
  return 0;
};

/** A row as it lies in memory. */
export const rowBytes = (address: bigint, size: bigint, type: number): Uint8Array => {
  const row = new Uint8Array(ROW);
  const view = new DataView(row.buffer);
  view.setBigUint64(E.addr.at, address, true);
  view.setBigUint64(E.size.at, size, true);
  view.setUint32(E.type.at, type, true);
  return row;
};

export const memoryMap = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.memory_map;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const map = vcpu.domain.memoryMap;
  if (map === null || map.length === 0) return -ERRNO.ENOSYS;
  const count = Math.min(scratch.getUint32(fields.nr_entries.at, true), map.length);
  const rows = new Uint8Array(count * ROW);
  for (let i = 0; i < count; i++) rows.set(rowBytes(...map[i]), i * ROW);
  const lo = scratch.getInt32(fields.buffer.at, true);
  const hi = scratch.getInt32(fields.buffer.at + 4, true);
  if (count > 0 && !copyToGuest(machine, vcpu, lo, hi, rows.length, rows)) return -ERRNO.EFAULT;
  scratch.setUint32(fields.nr_entries.at, count, true);
  return writeArgument(machine, vcpu, args, size) ? 0 : -ERRNO.EFAULT;
};
