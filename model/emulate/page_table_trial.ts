/**
 * What would an instruction write? It is run on a memory in which the pages of its operand are writable copies, and Xen's own addresses
 * lead nowhere; of that run the processor's state is kept, and what became of the operand.
 */
import { XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { CpuOutcome } from '../cpu/x86/outcome.ts';
import type { Platform } from '../cpu/x86/platform.ts';
import type { CpuState } from '../cpu/x86/state.ts';
import { executeInstruction } from '../cpu/x86/step.ts';
import { addressOk } from '../guest_copy.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { type Memory, pageOf, readWord, withPageOf, writeWord } from '../memory/memory.ts';
import { ACCESS, walk } from '../memory/translate.ts';
import { entryFor, PTE } from '../page_type/pte.ts';
import { addInt, equal, type Word, ZERO } from '../word/word.ts';
import type { Store } from './page_table_store.ts';

/** No processor identification and no clock: no instruction that asks for them stores to memory. */
export const PLATFORM: Platform = { cpuid: [], tsc: ZERO, emulator: true };

/** `memory`: what is left of it, without the copies. `changed`: the operand is not what it was. `word`: the aligned word where it begins. */
export type Trial = { readonly outcome: CpuOutcome; readonly memory: Memory; readonly changed: boolean; readonly word: Word };

/** Frames of RAM that nobody has: copies of the operand's pages, and of the top-level table. */
const COPIES = [0x100, 0x101] as const;
const ROOT = 0x102;

/** A page of the operand: its copy, and the entry that maps it. */
type Opened = { readonly copy: number; readonly original: number; readonly table: number; readonly index: number };

export const tryStore = (machine: Machine, at: VcpuRef, cpu: CpuState, { address, size }: Store): Trial => {
  const opened = pagesOf(machine, at, address, size);
  const { root } = cpu.segments;
  let memory = withPageOf(machine.memory, ROOT, pageOf(machine.memory, root));
  for (let slot = XEN_L4_SLOTS.first; slot < XEN_L4_SLOTS.end; slot++) memory = writeWord(memory, ROOT, slot, ZERO);
  for (const { copy, original, table, index } of opened) {
    memory = withPageOf(memory, copy, pageOf(machine.memory, original));
    memory = writeWord(memory, table, index, entryFor(copy, PTE.P | PTE.RW | PTE.US | PTE.A | PTE.D, 0));
  }
  const ran = executeInstruction({ ...cpu, segments: { ...cpu.segments, root: ROOT } }, memory, PLATFORM);
  const touched = opened.flatMap((page, n) => wordsOf(address, size, n).map((word) => ({ page, word })));
  return {
    outcome: ran,
    memory: closed(ran.memory, machine.memory, opened),
    changed: touched.some(({ page, word }) => !equal(readWord(ran.memory, page.copy, word), readWord(machine.memory, page.original, word))),
    word: opened.length > 0 ? readWord(ran.memory, opened[0].copy, (address.lo & 0xfff) >> 3) : ZERO,
  };
};

/** The pages that the operand lies in, as far as the guest can read them; none unless the first one can be. */
const pagesOf = (machine: Machine, at: VcpuRef, address: Word, size: number): readonly Opened[] => {
  const { root } = vcpuOf(machine, at).cpu.segments;
  const crosses = (address.lo & 0xfff) + size > 0x1000;
  const opened: Opened[] = [];
  for (const [n, copy] of COPIES.entries()) {
    if (n === 1 && !crosses) break;
    const va = n === 0 ? address : addInt(address, size - 1);
    const found = addressOk(va) ? walk(machine.memory, root, va, ACCESS.READ) : null;
    if (found?.kind !== 'mapped' || found.used.length !== 4) break;
    const { table, index } = found.used[3];
    opened.push({ copy, original: found.frame, table, index });
  }
  return opened;
};

/** The operand's words in its first page, or in its second. */
const wordsOf = (address: Word, size: number, n: number): readonly number[] => {
  const offset = address.lo & 0xfff;
  const [first, last] = n === 0 ? [offset, Math.min(offset + size, 0x1000) - 1] : [0, offset + size - 1 - 0x1000];
  return Array.from({ length: (last >> 3) - (first >> 3) + 1 }, (_, i) => (first >> 3) + i);
};

/** The trial's memory with the mappings and the frames of the copies as they were. */
const closed = (trial: Memory, before: Memory, opened: readonly Opened[]): Memory => {
  let memory = trial;
  for (const mfn of [...COPIES, ROOT]) memory = withPageOf(memory, mfn, pageOf(before, mfn));
  for (const { table, index } of opened) memory = writeWord(memory, table, index, readWord(before, table, index));
  return memory;
};
