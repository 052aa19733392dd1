/** A guest kernel's write to a page table that it maps read-only. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { decodeMode } from '#spec/isa/x86/mode.ts';
import { ZF } from '../cpu/x86/flags.ts';
import { type CpuOutcome, PF, VECTOR } from '../cpu/x86/outcome.ts';
import { started } from '../cpu/x86/running.ts';
import type { CpuState } from '../cpu/x86/state.ts';
import { executeInstruction } from '../cpu/x86/step.ts';
import { addressOk, copyFromGuest } from '../guest_copy.ts';
import { entryAt, type Place, writeEntry } from '../hypercall/mm/guest_l1e.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, frame, setCpu, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { type Memory, pageOf, readWord, withPageOf, writeWord } from '../memory/memory.ts';
import { getPageFromL1e, own, putPageFromL1e } from '../page_type/l1_entry.ts';
import { adjusted, entryFor, isPresent, PTE } from '../page_type/pte.ts';
import { injectPageFault } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import { equal, Word, ZERO } from '../word/word.ts';
import { decodeAt } from './decode_at.ts';
import { storeDone } from './done.ts';
import { type Store, storeOf } from './page_table_store.ts';
import { readOnlyMapping } from './read_only_mapping.ts';

/** The read-only mapping through which the guest writes, and the table behind it. */
type Target = { readonly mapping: Place; readonly table: number };
/** Fixed: the guest goes on. Not fixed: it gets its page fault. */
export type Attempt = { readonly machine: Machine; readonly fixed: boolean };

/** Emulate the write that faulted at `address`. */
export const emulatePageTableWrite = (machine: Machine, at: VcpuRef, address: Word): Attempt => {
  const guests: Attempt = { machine, fixed: false };
  const target = assisted(machine, at.domid) ? findTarget(machine, at, address) : null;
  if (!target) return guests;
  const { cpu } = vcpuOf(machine, at);
  if (decodeMode(cpu.system.mode) !== '64') throw new NotModelled('emulation/ptwr-compatibility');
  const instruction = decodeAt(machine, at);
  const flat = withoutBases(cpu);
  const store = instruction && storeOf(started(flat, machine.memory, PLATFORM), instruction);
  if (!store) return guests;
  const trial = tryOut(machine, flat, target);
  const unread = unreadable(machine, at, store, trial);
  if (unread)
    return {
      machine: returnToGuest(injectPageFault(cite(machine, 'emulation/ptwr-read_fault'), at, 0, unread), at, 'sysret'),
      fixed: true,
    };
  if (!isDone(trial)) return guests;
  return carryOut(machine, at, { target, store, trial, address });
};

/** A single step's trap comes after the instruction. */
const isDone = (trial: CpuOutcome): boolean => trial.kind === 'retired' || (trial.kind === 'trap' && trial.fault.vector === VECTOR.DB);

const PLATFORM = { cpuid: [], tsc: ZERO };

/** Xen's emulator takes the offset in a segment for the address. */
const withoutBases = (cpu: CpuState): CpuState => ({ ...cpu, segments: { ...cpu.segments, fsBase: ZERO, gsBase: ZERO } });

/** Dom0's faults on read-only mappings always come this way; other domains ask for it. */
const assisted = (machine: Machine, domid: number): boolean =>
  domid === 0 || (domainOf(machine, domid).vmAssist & (1n << BigInt(VMASST_TYPE.writable_pagetables))) !== 0n;

const findTarget = (machine: Machine, at: VcpuRef, address: Word): Target | null => {
  const found = readOnlyMapping(machine, at, address);
  if (!found) return null;
  const { table, index } = found.used[3];
  const behind = frame(machine, found.frame);
  if (behind?.owner !== at.domid || behind.type !== 'l1' || behind.typeRefs === 0) return null;
  return { mapping: { mfn: table, index }, table: found.frame };
};

/** A frame of RAM that nobody has: the trial's copy of the table. */
const SCRATCH = 0x100;

/** What would the instruction do? It is run on a memory in which the mapping is writable and leads to a copy of the table. */
const tryOut = (machine: Machine, cpu: CpuState, { mapping, table }: Target): CpuOutcome => {
  const copied = withPageOf(machine.memory, SCRATCH, pageOf(machine.memory, table));
  const open = writeWord(copied, mapping.mfn, mapping.index, entryFor(SCRATCH, PTE.P | PTE.RW | PTE.US | PTE.A | PTE.D, 0));
  return executeInstruction(cpu, open, PLATFORM);
};

/** The trial's memory with the mapping and the scratch frame as they were. */
const closed = (trial: Memory, machine: Machine, { mapping }: Target): Memory =>
  withPageOf(writeWord(trial, mapping.mfn, mapping.index, entryAt(machine, mapping)), SCRATCH, pageOf(machine.memory, SCRATCH));

/** Where a read of the emulator fails: of a source, or of the operand that is read before it is written. */
const unreadable = (machine: Machine, at: VcpuRef, store: Store, trial: CpuOutcome): Word | null => {
  if (trial.kind !== 'fault' || trial.fault.vector !== VECTOR.PF) return null;
  if ((trial.fault.error! & PF.WRITE) === 0) return trial.fault.address;
  if (store.kind === 'plain') return null;
  if (!addressOk(store.address)) return store.address;
  const read = copyFromGuest(machine, at, store.address, store.size);
  return read.ok ? null : read.fault;
};

type Carried = { readonly target: Target; readonly store: Store; readonly trial: CpuOutcome; readonly address: Word };

const carryOut = (machine: Machine, at: VcpuRef, { target, store, trial, address }: Carried): Attempt => {
  const { cpu } = vcpuOf(machine, at);
  const place: Place = { mfn: target.table, index: (store.address.lo & 0xfff) >> 3 };
  const old = entryAt(machine, place);
  const wanted = readWord(trial.memory, SCRATCH, place.index);
  const writes = store.kind === 'plain' || (store.kind === 'changed' ? !equal(old, wanted) : (trial.cpu.flags & ZF) !== 0);
  const ran = setCpu(setMemory(machine, closed(trial.memory, machine, target)), at, {
    ...trial.cpu,
    segments: cpu.segments,
  });
  const done = (m: Machine): Attempt => ({
    machine: storeDone(emit(m, { kind: 'emulated', at, instruction: 'ptwr' }), at, trial.cpu.rip),
    fixed: true,
  });
  if (!writes) return done(cite(ran, 'emulation/ptwr-unchanged'));
  if (!mayWrite(store, address)) return { machine, fixed: false };
  // What is narrower than an entry, and what is read first, is read through the guest's mapping.
  const reads = store.size < 8 || store.kind !== 'plain';
  const read = (m: Machine): Machine => (reads ? accessed(m, target.mapping) : m);
  const stored = storeEntry(read(ran), at.domid, place, wanted);
  return stored ? done(stored) : { machine: read(machine), fixed: false };
};

/** One entry or an aligned part of it, in the page of the fault. */
const mayWrite = ({ address, size }: Store, fault: Word): boolean =>
  size <= 8 && (address.lo & (size - 1)) === 0 && address.hi === fault.hi && (address.lo ^ fault.lo) >>> 12 === 0;

const accessed = (machine: Machine, mapping: Place): Machine => {
  const pte = entryAt(machine, mapping);
  return (pte.lo & PTE.A) !== 0 ? machine : writeEntry(machine, mapping, new Word(pte.hi, pte.lo | PTE.A));
};

/** Take what the new entry maps, write it, give back what the old one held. Null: it is refused. */
const storeEntry = (machine: Machine, domid: number, place: Place, wanted: Word): Machine | null => {
  const old = entryAt(machine, place);
  if (!isPresent(wanted)) return putPageFromL1e(writeEntry(cite(machine, 'emulation/ptwr-cleared'), place, wanted), old);
  const taken = getPageFromL1e(machine, wanted, own(domid));
  if (taken.errno) return null;
  const entry = adjusted(new Word(wanted.hi, wanted.lo ^ taken.flip), 1);
  return putPageFromL1e(writeEntry(cite(taken.machine, 'emulation/ptwr-written'), place, entry), old);
};
