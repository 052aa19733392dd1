/** The descriptor tables of a vCPU: taking and giving back the pages behind them. Chapter: spec/chapters/descriptor.md. */
import { DESCRIPTORS_PER_PAGE, GUEST_GDT_ENTRIES } from '#spec/abi/descriptor.ts';
import type { VcpuRef } from '#spec/event.ts';
import { addressOk } from './guest_copy.ts';
import { cite } from './journal.ts';
import { setMemory, updateVcpu, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { readWord, writeWord } from './memory/memory.ts';
import { frameOf, indexFor, isPresent, type Level, PTE } from './page_type/pte.ts';
import { getPageAndType, putPageAndType } from './page_type/references.ts';
import { allow, refuse, type Verdict } from './page_type/verdict.ts';
import { addInt, type Word, word, ZERO } from './word/word.ts';

export const framesFor = (entries: number): number => Math.ceil(entries / DESCRIPTORS_PER_PAGE);

/** set_gdt for `at`: the frames become descriptor pages, all or none of them; then the old ones are given back. */
export const setGdt = (machine: Machine, at: VcpuRef, frames: readonly number[], entries: number): Verdict => {
  if (entries > GUEST_GDT_ENTRIES) return refuse(machine, 'EINVAL', 'descriptor/set_gdt-entries');
  let m = machine;
  const named = frames.slice(0, framesFor(entries));
  for (const [k, mfn] of named.entries()) {
    const taken = getPageAndType(m, at.domid, mfn, 'seg_desc');
    if (taken.errno) return refuse(named.slice(0, k).reduceRight(putPageAndType, taken.machine), 'EINVAL', 'descriptor/set_gdt-frame');
    m = taken.machine;
  }
  const { tables } = vcpuOf(dropGdt(m, at), at);
  return allow(updateVcpu(dropGdt(m, at), at, { tables: { ...tables, gdtEntries: entries, gdtFrames: named } }));
};

/** Give the global table's pages back: it is empty then. */
export const dropGdt = (machine: Machine, at: VcpuRef): Machine => {
  const { tables } = vcpuOf(machine, at);
  const put = tables.gdtFrames.reduce(putPageAndType, machine);
  return updateVcpu(put, at, { tables: { ...tables, gdtEntries: 0, gdtFrames: [] } });
};

/** descriptor/ldt-unmapped: give the local table's mapped pages back. The table stays; its pages are found again when they are needed. */
export const unmapLdt = (machine: Machine, at: VcpuRef): Machine => {
  const { tables } = vcpuOf(machine, at);
  const frames = tables.ldtFrames.filter((frame) => frame !== undefined);
  if (frames.length === 0) return machine;
  const put = frames.reduce(putPageAndType, cite(machine, 'descriptor/ldt-unmapped'));
  return updateVcpu(put, at, { tables: { ...tables, ldtFrames: [] } });
};

/** Another local table; without entries there is none. */
export const setLdtOf = (machine: Machine, at: VcpuRef, base: Word, entries: number): Machine => {
  const m = unmapLdt(machine, at);
  const { tables } = vcpuOf(m, at);
  return updateVcpu(m, at, { tables: { ...tables, ldtBase: entries === 0 ? ZERO : base, ldtEntries: entries } });
};

/**
 * descriptor/ldt-mapped: have the page that holds byte `offset` of the local table mapped, as the kernel's page tables have it. Null:
 * it cannot be, and the machine is as it was but for accessed bits.
 */
export const mapLdtPage = (machine: Machine, at: VcpuRef, offset: number): { readonly machine: Machine; readonly mapped: boolean } => {
  const { tables } = vcpuOf(machine, at);
  const { machine: m, frame } = kernelFrameAt(machine, at, addInt(tables.ldtBase, offset));
  if (frame === null) return { machine: m, mapped: false };
  const taken = getPageAndType(m, at.domid, frame, 'seg_desc');
  if (taken.errno) return { machine: taken.machine, mapped: false };
  const ldtFrames = Array.from({ length: framesFor(tables.ldtEntries) }, (_, k) => tables.ldtFrames[k]);
  ldtFrames[Math.floor(offset / 4096)] = frame;
  return { machine: updateVcpu(cite(taken.machine, 'descriptor/ldt-mapped'), at, { tables: { ...tables, ldtFrames } }), mapped: true };
};

/** The frame that the kernel's tables map an address to; entries above the last level become accessed, since Xen walks them. */
const kernelFrameAt = (machine: Machine, at: VcpuRef, address: Word): { readonly machine: Machine; readonly frame: number | null } => {
  if (!addressOk(address)) return { machine, frame: null };
  let { memory } = machine;
  let table = vcpuOf(machine, at).kernelTable;
  const path: [table: number, index: number][] = [];
  for (const level of [4, 3, 2] as const satisfies readonly Level[]) {
    const index = indexFor(address, level);
    const entry = readWord(memory, table, index);
    if (!isPresent(entry)) return { machine, frame: null };
    path.push([table, index]);
    table = frameOf(entry);
  }
  for (const [place, index] of path) {
    const entry = readWord(memory, place, index);
    if ((entry.lo & PTE.A) === 0) memory = writeWord(memory, place, index, word(entry.hi, entry.lo | PTE.A));
  }
  const entry = readWord(memory, table, indexFor(address, 1));
  return { machine: setMemory(machine, memory), frame: isPresent(entry) ? frameOf(entry) : null };
};
