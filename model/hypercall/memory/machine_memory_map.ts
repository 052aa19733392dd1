/** XENMEM_machine_memory_map: the firmware's map for domain 0, with what it may not map marked as reserved. */

import type { Errno } from '#spec/abi/errno.ts';
import { IOAPIC_FRAME, IOMEM_FRAMES } from '#spec/abi/iomem.ts';
import { E820, e820entry, memory } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { iomemCaps } from '../../domain/io_caps.ts';
import type { MemoryMapRow } from '../../domain.ts';
import { arrayOk, copyToGuestUnchecked } from '../../guest_copy.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { type Rangeset, removeRange } from '../../rangeset.ts';
import { addInt, fromHex, fromNumber, isZero, toNumber, type Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { done, fail } from '../result.ts';
import { exact, readArgument, writeBack } from './command.ts';
import { bytesOfRows } from './memory_map.ts';

/** A row, and how many rows of the firmware are left that need room behind it, itself included; 0 for one that Xen adds. */
type Shown = { readonly row: MemoryMapRow; readonly left: number };

export const machineMemoryMap = exact((machine, caller, { arg }) => {
  if (!isControlDomain(caller)) return fail(machine, 'EPERM', 'memory/machine_memory_map-permission');
  const read = readArgument(machine, caller, arg, memory.memory_map);
  if (!read.argument) return fail(read.machine, 'EFAULT', 'memory/argument');
  const room = read.argument.number('nr_entries');
  const buffer = read.argument.word('buffer');
  const firmware = machine.config.e820.map(([addr, size, type]) => ({ addr: fromHex(addr), size: fromHex(size), type }));
  // The I/O APIC is left out.
  const mappable = removeRange(iomemCaps(machine, domainOf(machine, caller.domid)), [IOAPIC_FRAME, IOAPIC_FRAME]);
  const shown = withReserved(firmware, mappable);
  let m = read.machine;
  if (!isZero(buffer)) {
    if (room < firmware.length + 1) return fail(m, 'EINVAL', 'memory/machine_memory_map-room');
    if (!arrayOk(buffer, room, e820entry.size)) return fail(m, 'EFAULT', 'memory/machine_memory_map-room');
    const stored = store(m, caller, buffer, room, shown);
    m = stored.machine;
    if (stored.errno) return fail(m, stored.errno, 'memory/machine_memory_map-room');
  }
  const argument = read.argument.bytes.slice();
  argument.set(bytesOfNumber(shown.length, 4), memory.memory_map.fields.nr_entries.at);
  const told = writeBack(m, caller, arg, 0, argument);
  return told.ok ? done(told.machine, 'memory/machine_memory_map-done') : fail(told.machine, 'EFAULT', 'memory/machine_memory_map-done');
});

const store = (
  machine: Machine,
  caller: VcpuRef,
  buffer: Word,
  room: number,
  shown: readonly Shown[],
): { readonly machine: Machine; readonly errno: Errno | null } => {
  let m = machine;
  for (const [n, { row, left }] of shown.entries()) {
    if (left === 0 ? n + 1 >= room : room <= n + left) return { machine: m, errno: 'EINVAL' };
    const written = copyToGuestUnchecked(m, caller, addInt(buffer, n * e820entry.size), bytesOfRows([row]));
    m = written.machine;
    if (!written.ok) return { machine: m, errno: 'EFAULT' };
  }
  return { machine: m, errno: null };
};

const reserved = (first: number, end: number): Shown => ({
  row: { addr: fromNumber(first * 4096), size: fromNumber((end - first) * 4096), type: E820.RESERVED },
  left: 0,
});

/** What lies in the gap [from, to) and may not be mapped; the last piece ends where the gap does, if that is a row's beginning. */
const gap = (from: number, to: number, closed: boolean, mappable: Rangeset): readonly Shown[] => {
  const rows: Shown[] = [];
  let at = from;
  for (const [first, last] of mappable) {
    if (last < from || first >= to) continue;
    if (first > at) rows.push(reserved(at, first));
    at = Math.max(at, Math.min(last, to - 1) + 1);
  }
  if (closed && to > at && to < IOMEM_FRAMES) rows.push(reserved(at, to));
  return rows;
};

const withReserved = (firmware: readonly MemoryMapRow[], mappable: Rangeset): readonly Shown[] => {
  const rows: Shown[] = [];
  let at = 0;
  for (const [i, row] of firmware.entries()) {
    const first = Math.floor(toNumber(row.addr) / 4096);
    if (first > at) rows.push(...gap(at, first, true, mappable));
    rows.push({ row, left: firmware.length - i });
    at = Math.ceil((toNumber(row.addr) + toNumber(row.size)) / 4096);
  }
  return at > 0 ? [...rows, ...gap(at, Number.POSITIVE_INFINITY, false, mappable)] : rows;
};
