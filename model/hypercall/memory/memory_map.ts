/** The memory map that a domain's builder gives it. */
import { E820MAX, e820entry, memory } from '#spec/abi/memory.ts';
import type { MemoryMapRow } from '../../domain.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import { bytesOf, wordIn } from '../../memory/guest.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { done, fail } from '../result.ts';
import { exact, readArgument, writeBack } from './command.ts';
import { subjectOf } from './subject.ts';

const ROW = e820entry.size;

const rowsIn = (bytes: Uint8Array, count: number): readonly MemoryMapRow[] =>
  Array.from({ length: count }, (_, i) => {
    const row = bytes.slice(i * ROW, (i + 1) * ROW);
    return { addr: wordIn(row, 0), size: wordIn(row, 8), type: new DataView(row.buffer).getUint32(16, true) };
  });

/** Rows as guests read them. */
export const bytesOfRows = (rows: readonly MemoryMapRow[]): Uint8Array => {
  const bytes = new Uint8Array(rows.length * ROW);
  for (const [i, { addr, size, type }] of rows.entries()) {
    bytes.set(bytesOf([addr, size]), i * ROW);
    bytes.set(bytesOfNumber(type, 4), i * ROW + 16);
  }
  return bytes;
};

/** XENMEM_set_memory_map. */
export const setMemoryMap = exact((machine, caller, { arg }) => {
  const read = readArgument(machine, caller, arg, memory.foreign_memory_map);
  if (!read.argument) return fail(read.machine, 'EFAULT', 'memory/argument');
  const count = read.argument.number('nr_entries');
  if (count > E820MAX) return fail(read.machine, 'EINVAL', 'memory/set_memory_map-entries');
  const subject = subjectOf(read.machine, caller, read.argument.number('domid'));
  if ('kind' in subject) return subject;
  if (count === 0) return done(updateDomain(read.machine, subject.domain.domid, { memoryMap: [] }), 'memory/set_memory_map-done');
  const rows = copyFromGuest(read.machine, caller, read.argument.word('buffer'), count * ROW);
  if (!rows.ok) return fail(rows.machine, 'EFAULT', 'memory/set_memory_map-rows');
  return done(updateDomain(rows.machine, subject.domain.domid, { memoryMap: rowsIn(rows.bytes, count) }), 'memory/set_memory_map-done');
});

/** XENMEM_memory_map. */
export const memoryMap = exact((machine, caller, { arg }) => {
  const read = readArgument(machine, caller, arg, memory.memory_map);
  if (!read.argument) return fail(read.machine, 'EFAULT', 'memory/argument');
  const rows = domainOf(read.machine, caller.domid).memoryMap ?? [];
  if (rows.length === 0) return fail(read.machine, 'ENOSYS', 'memory/memory_map-unset');
  const count = Math.min(read.argument.number('nr_entries'), rows.length);
  const written =
    count === 0
      ? { ok: true, machine: read.machine }
      : copyToGuest(read.machine, caller, read.argument.word('buffer'), bytesOfRows(rows.slice(0, count)));
  if (!written.ok) return fail(written.machine, 'EFAULT', 'memory/memory_map-done');
  const argument = read.argument.bytes.slice();
  argument.set(bytesOfNumber(count, 4), memory.memory_map.fields.nr_entries.at);
  const told = writeBack(written.machine, caller, arg, 0, argument);
  return told.ok ? done(told.machine, 'memory/memory_map-done') : fail(told.machine, 'EFAULT', 'memory/memory_map-done');
});
