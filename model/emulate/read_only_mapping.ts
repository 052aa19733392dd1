/** Finding the read-only mapping that a guest kernel tried to write through. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import { setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord, writeWord } from '../memory/memory.ts';
import { ACCESS, type Walk, walk } from '../memory/translate.ts';
import { frameOf, indexFor, isPresent, isWritable, PTE } from '../page_type/pte.ts';
import { Word } from '../word/word.ts';

/**
 * emulation/linear-read: Xen reads the entry for `address` through its linear mapping of the tables, in which the processor takes what a large
 * page is mapped by for one more table: entries on the way are marked as accessed.
 */
export const linearlyRead = (machine: Machine, at: VcpuRef, address: Word): Machine => {
  let { memory } = machine;
  let table = vcpuOf(machine, at).cpu.segments.root;
  for (const level of [4, 3, 2] as const) {
    const index = indexFor(address, level);
    const entry = readWord(memory, table, index);
    if (!isPresent(entry) || frameOf(entry) >= memory.frames) break;
    if ((entry.lo & PTE.A) === 0) memory = writeWord(memory, table, index, new Word(entry.hi, entry.lo | PTE.A));
    table = frameOf(entry);
  }
  return memory === machine.memory ? machine : setMemory(cite(machine, 'emulation/linear-read'), memory);
};

/** The walk to the page at `address`, whose level 1 entry lacks RW; null when there is none, or that was not the reason. */
export const readOnlyMapping = (machine: Machine, at: VcpuRef, address: Word): Extract<Walk, { kind: 'mapped' }> | null => {
  const found = walk(machine.memory, vcpuOf(machine, at).cpu.segments.root, address, ACCESS.READ);
  return found.kind === 'mapped' && found.used.length === 4 && !isWritable(found.used[3].entry) ? found : null;
};
