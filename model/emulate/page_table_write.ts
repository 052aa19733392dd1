/** A guest kernel's write to a page table that it maps read-only. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { decodeMode } from '#spec/isa/x86/mode.ts';
import { ZF } from '../cpu/x86/flags.ts';
import { type CpuOutcome, PF, VECTOR } from '../cpu/x86/outcome.ts';
import { started } from '../cpu/x86/running.ts';
import type { CpuState } from '../cpu/x86/state.ts';
import { addressOk, copyFromGuest } from '../guest_copy.ts';
import { entryAt, type Place, writeEntry } from '../hypercall/mm/guest_l1e.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, frame, setCpu, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { getPageFromL1e, own, putPageFromL1e } from '../page_type/l1_entry.ts';
import { adjusted, isPresent, PTE } from '../page_type/pte.ts';
import { injectPageFault } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import { Word, ZERO } from '../word/word.ts';
import { decodeAt } from './decode_at.ts';
import { storeDone } from './done.ts';
import { type Store, storeOf } from './page_table_store.ts';
import { PLATFORM, type Trial, tryStore } from './page_table_trial.ts';
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
  const store = instruction && storeOf(started(withoutBases(cpu), machine.memory, PLATFORM), instruction);
  if (!store) return guests;
  const trial = tryStore(machine, at, withoutBases(cpu), store);
  const unread = unreadable(machine, at, store, trial.outcome);
  if (unread) return { machine: readFault(machine, at, unread), fixed: true };
  return isDone(trial.outcome) ? carryOut(machine, at, { target, store, trial, address }) : guests;
};

const readFault = (machine: Machine, at: VcpuRef, address: Word): Machine =>
  returnToGuest(injectPageFault(cite(machine, 'emulation/ptwr-read_fault'), at, 0, address), at, 'sysret');

/** A single step's trap comes after the instruction. */
const isDone = (outcome: CpuOutcome): boolean =>
  outcome.kind === 'retired' || (outcome.kind === 'trap' && outcome.fault.vector === VECTOR.DB);

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

/** Where a read of the emulator fails: of a source, or of the operand that is read before it is written. */
const unreadable = (machine: Machine, at: VcpuRef, store: Store, outcome: CpuOutcome): Word | null => {
  if (outcome.kind !== 'fault') return null;
  if (outcome.fault.vector === VECTOR.PF && (outcome.fault.error! & PF.WRITE) === 0) return outcome.fault.address;
  if (store.kind === 'plain') return null;
  if (!addressOk(store.address)) return store.address;
  const read = copyFromGuest(machine, at, store.address, store.size);
  return read.ok ? null : read.fault;
};

type Carried = { readonly target: Target; readonly store: Store; readonly trial: Trial; readonly address: Word };

const carryOut = (machine: Machine, at: VcpuRef, { target, store, trial, address }: Carried): Attempt => {
  const { cpu } = trial.outcome;
  const writes = store.kind === 'plain' || (store.kind === 'changed' ? trial.changed : (cpu.flags & ZF) !== 0);
  const ran = setCpu(setMemory(machine, trial.memory), at, { ...cpu, segments: vcpuOf(machine, at).cpu.segments });
  const done = (m: Machine): Attempt => ({
    machine: storeDone(emit(m, { kind: 'emulated', at, instruction: 'ptwr' }), at, cpu.rip),
    fixed: true,
  });
  if (!writes) return done(cite(ran, 'emulation/ptwr-unchanged'));
  if (!mayWrite(store, address)) return { machine, fixed: false };
  // What is narrower than an entry, and what is read first, is read through the guest's mapping.
  const reads = store.size < 8 || store.kind !== 'plain';
  const read = (m: Machine): Machine => (reads ? accessed(m, target.mapping) : m);
  const place: Place = { mfn: target.table, index: (store.address.lo & 0xfff) >> 3 };
  const stored = storeEntry(read(ran), at.domid, place, trial.word);
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
