/** set_gdt: the frames of the vCPU's global descriptor table. Chapter: spec/chapters/descriptor.md. */
import { GUEST_GDT_ENTRIES } from '#spec/abi/descriptor.ts';
import type { VcpuRef } from '#spec/event.ts';
import { framesFor, setGdt } from '../../descriptor_tables.ts';
import { readGuestWords } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { flushLocal } from '../../tlb.ts';
import { toNumber, type Word } from '../../word/word.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

export const set_gdt: Perform = (machine, caller, [list, entries]) => set(machine, caller, list, entries.lo >>> 0);

const set = (machine: Machine, caller: VcpuRef, list: Word, entries: number): HypercallResult => {
  if (entries > GUEST_GDT_ENTRIES) return fail(machine, 'EINVAL', 'descriptor/set_gdt-entries');
  const count = framesFor(entries);
  const { machine: m, words } = count === 0 ? { machine, words: [] } : readGuestWords(machine, caller, list, count);
  if (!words) return fail(m, 'EFAULT', 'descriptor/set_gdt-fault');
  return install(m, caller, words.map(toNumber), entries);
};

export const install = (machine: Machine, caller: VcpuRef, frames: readonly number[], entries: number): HypercallResult => {
  const taken = setGdt(machine, caller, frames, entries);
  if (taken.errno) return fail(taken.machine, taken.errno, 'descriptor/set_gdt-frame');
  return done(flushLocal(cite(taken.machine, 'tlb/descriptor_table'), caller), 'descriptor/set_gdt-done');
};
