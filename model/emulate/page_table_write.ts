/** A guest kernel's write to a page table that it maps read-only. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { decodeMode } from '#spec/isa/x86/mode.ts';
import { ZF } from '../cpu/x86/flags.ts';
import { type CpuOutcome, PF, VECTOR } from '../cpu/x86/outcome.ts';
import { started } from '../cpu/x86/running.ts';
import { type CpuState, CS, FLAT_CODE32, FLAT_DATA } from '../cpu/x86/state.ts';
import { addressOk, copyFromGuest } from '../guest_copy.ts';
import type { Place } from '../hypercall/mm/guest_l1e.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, frame, setCpu, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { type Word, ZERO } from '../word/word.ts';
import { fetchAt, Unreadable } from './decode_at.ts';
import { storeDone } from './done.ts';
import { emulateEnter } from './page_table_enter.ts';
import { type Attempt, accessed, fetchFault, mayWrite, readFault, storeEntry, type Target } from './page_table_entry.ts';
import { type Store, storeOf } from './page_table_store.ts';
import { PLATFORM, type Trial, tryStore } from './page_table_trial.ts';
import { readOnlyMapping } from './read_only_mapping.ts';

/** Emulate the write that faulted at `address`. */
export const emulatePageTableWrite = (machine: Machine, at: VcpuRef, address: Word): Attempt => {
  const guests: Attempt = { machine, fixed: false };
  const target = assisted(machine, at.domid) ? findTarget(machine, at, address) : null;
  if (!target) return guests;
  const { cpu: before, tables } = vcpuOf(machine, at);
  const cpu = tables.pv32 ? asCompat(before) : asEmulated(before);
  const instruction = fetchAt(machine, at, tables.pv32 ? { ...EVERYWHERE, machine } : null);
  if (instruction instanceof Unreadable) return { machine: fetchFault(machine, at, instruction.address), fixed: true };
  if (instruction?.mnemonic === 'enter') return emulateEnter(machine, at, { instruction, target, fault: address });
  const store = instruction && storeOf(started(cpu, machine.memory, PLATFORM), instruction);
  if (!store) return guests;
  const trial = tryStore(machine, at, cpu, store);
  const unread = unreadable(machine, at, store, trial.outcome);
  if (unread) return { machine: readFault(machine, at, unread), fixed: true };
  return isDone(trial.outcome) ? carryOut(machine, at, { target, store, trial, address }) : guests;
};

/** A single step's trap comes after the instruction. */
const isDone = (outcome: CpuOutcome): boolean =>
  outcome.kind === 'retired' || (outcome.kind === 'trap' && outcome.fault.vector === VECTOR.DB);

/** emulation/ptwr-mode: Xen's emulator takes the offset in a segment for the address, and everything for 64-bit code. */
const asEmulated = (cpu: CpuState): CpuState => ({
  ...cpu,
  segments: { ...cpu.segments, fsBase: ZERO, gsBase: ZERO },
  system: { ...cpu.system, mode: '64' },
});

/** compat/ptwr: flat 32-bit code, whatever the segments are. */
const asCompat = (cpu: CpuState): CpuState => ({
  ...cpu,
  segments: {
    ...cpu.segments,
    fsBase: ZERO,
    gsBase: ZERO,
    hidden: cpu.segments.hidden.map((_, register) => (register === CS ? FLAT_CODE32 : FLAT_DATA)),
  },
  system: { ...cpu.system, mode: 'compat32' },
});
const EVERYWHERE = { mode: '32', base: ZERO, limit: null } as const;

/** Dom0's faults on read-only mappings always come this way; other domains ask for it. */
export const assisted = (machine: Machine, domid: number): boolean =>
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
  const { segments, system } = vcpuOf(machine, at).cpu;
  const narrow = vcpuOf(machine, at).tables.pv32;
  const wide = decodeMode(system.mode) === '64' ? machine : cite(machine, narrow ? 'compat/ptwr' : 'emulation/ptwr-mode');
  const seen = store.beyond ? cite(wide, 'emulation/ptwr-bit_offset') : wide;
  const ran = setCpu(setMemory(seen, trial.memory), at, { ...cpu, segments, system });
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
  const upperHalf = store.kind === 'plain' && store.size === 4 && (store.address.lo & 4) !== 0;
  const stored = storeEntry(read(ran), at.domid, place, trial.word, upperHalf);
  return stored ? done(stored) : { machine: read(machine), fixed: false };
};
