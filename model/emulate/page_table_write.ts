/** A guest kernel's store into a level 1 table. Chapter: spec/chapters/memory.md, "Plain stores into page tables". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug, NotModelled } from '#spec/failure.ts';
import { decode } from '../cpu/x86/decode/decode.ts';
import type { CpuState } from '../cpu/x86/state.ts';
import { executeInstruction } from '../cpu/x86/step.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { isControlDomain } from '../hypercall/domids.ts';
import { entryAt, isL1TableOf, type Place, pathTo, writeEntry } from '../hypercall/mm/guest_l1e.ts';
import { cite } from '../journal.ts';
import { domainOf, setCpu, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { getPageFromL1e, own, putPageFromL1e } from '../page_type/l1_entry.ts';
import { isReadOnlyIo } from '../page_type/owner.ts';
import { adjusted, frameOf, isPresent, isWritable, PTE } from '../page_type/pte.ts';
import { allow } from '../page_type/verdict.ts';
import { tscOf } from '../time/clock.ts';
import { addInt, equal, type Word, word } from '../word/word.ts';
import { instructionDone } from './done.ts';

/** `emulated` false: the fault is the guest's own affair. */
export type Emulation = { readonly emulated: boolean; readonly machine: Machine };

/** Carry out the store to `address`, which faulted although the page is present. */
export const emulatePageTableWrite = (machine: Machine, at: VcpuRef, address: Word): Emulation => {
  const path = pathTo(machine, at, address);
  const target = tableEntry(machine, at, path, address);
  if (!target) return { emulated: false, machine };
  const known = cite(path.slice(0, 3).reduce(markAccessed, machine), 'mmu/table_write-who');
  if (!isAligned(known, at, address)) return { emulated: false, machine: cite(known, 'mmu/table_write-aligned') };
  const changed = changeEntry(known, at, path, target);
  return changed ? { emulated: true, machine: changed } : { emulated: false, machine: cite(known, 'mmu/table_write-refused') };
};

/** The entry of a level 1 table that the address stands for; null when it stands for anything else (`mmu/table_write-who`). */
const tableEntry = (machine: Machine, at: VcpuRef, path: readonly Place[], address: Word): Place | null => {
  if (path.length < 4 || (!isControlDomain(at) && !mayWriteTables(machine, at.domid))) return null;
  const pte = entryAt(machine, path[3]);
  if (!isPresent(pte) || isWritable(pte)) return null;
  if (isControlDomain(at) && isReadOnlyIo(frameOf(pte))) throw new NotModelled('emulation/read_only_io');
  return isL1TableOf(machine, at.domid, frameOf(pte)) ? { mfn: frameOf(pte), index: (address.lo & 0xfff) >>> 3 } : null;
};

const mayWriteTables = (machine: Machine, domid: number): boolean =>
  (domainOf(machine, domid).vmAssist & (1n << BigInt(VMASST_TYPE.writable_pagetables))) !== 0n;

const markAccessed = (machine: Machine, place: Place): Machine => {
  const pte = entryAt(machine, place);
  return (pte.lo & PTE.A) === 0 ? writeEntry(machine, place, word(pte.hi, pte.lo | PTE.A)) : machine;
};

const isAligned = (machine: Machine, at: VcpuRef, address: Word): boolean => {
  const { rip } = vcpuOf(machine, at).cpu;
  const { dst, size } = decode((index) => byteAt(machine, at, addInt(rip, index)));
  return (address.lo & ((dst.kind === 'mem' ? dst.size : size) - 1)) === 0;
};

const byteAt = (machine: Machine, at: VcpuRef, va: Word): number => {
  const byte = copyFromGuest(machine, at, va, 1);
  if (!byte.ok) throw new ModelBug('an instruction that ran cannot be read');
  return byte.bytes[0];
};

const changeEntry = (machine: Machine, at: VcpuRef, path: readonly Place[], target: Place): Machine | null => {
  const old = entryAt(machine, target);
  const { machine: ran, value, cpu } = store(machine, at, path, target);
  const taken = isPresent(value) ? getPageFromL1e(ran, value, own(at.domid)) : { ...allow(ran), flip: 0 };
  if (taken.errno) return null;
  const next = adjusted(word(value.hi, value.lo ^ taken.flip), 1);
  const changed = putPageFromL1e(writeEntry(taken.machine, target, next), old);
  return instructionDone(setCpu(cite(changed, 'mmu/table_write-done'), at, cpu), at, cpu.rip);
};

type Stored = { readonly machine: Machine; readonly cpu: CpuState; readonly value: Word };

/**
 * What the instruction would store: it runs as if the tables on its way allowed writing, and then they are put back as they were.
 * When it stores into the very entry that maps its target, what it read there must not have mattered.
 */
const store = (machine: Machine, at: VcpuRef, path: readonly Place[], target: Place): Stored => {
  const first = tryStore(machine, at, path, target, 0);
  const own = path[3].mfn === target.mfn && path[3].index === target.index;
  if (own && !equal(first.value, tryStore(machine, at, path, target, PTE.AVAIL).value)) throw new NotModelled('emulation/own_entry');
  return first;
};

const tryStore = (machine: Machine, at: VcpuRef, path: readonly Place[], target: Place, toggled: number): Stored => {
  const opened = path.reduce((m, place, i) => {
    const pte = entryAt(m, place);
    return writeEntry(m, place, word(pte.hi, (pte.lo ^ (i === 3 ? toggled : 0)) | PTE.RW));
  }, machine);
  const outcome = executeInstruction(vcpuOf(machine, at).cpu, opened.memory, { cpuid: machine.config.cpu.cpuid, tsc: tscOf(machine) });
  if (outcome.kind !== 'retired' && outcome.kind !== 'trap') throw new ModelBug(`a store into a page table ended in ${outcome.kind}`);

  const ran = setMemory(machine, outcome.memory);
  const restored = [...path, target].reduce((m, place) => writeEntry(m, place, entryAt(machine, place)), ran);
  return { machine: restored, cpu: outcome.cpu, value: entryAt(ran, target) };
};
