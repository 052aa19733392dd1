/** A guest kernel's write to a page table that it maps read-only. Chapter: spec/chapters/emulation.md, "Page-table writes". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { executeInstruction } from '../cpu/x86/step.ts';
import { entryAt, type Place, writeEntry } from '../hypercall/mm/guest_l1e.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, frame, setCpu, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { type Memory, readWord, writeWord } from '../memory/memory.ts';
import { getPageFromL1e, own, putPageFromL1e } from '../page_type/l1_entry.ts';
import { adjusted, isPresent, PTE } from '../page_type/pte.ts';
import { FLAG } from '../traps/bounce.ts';
import { equal, isZero, or, sub, Word, word } from '../word/word.ts';
import { decodeAt } from './decode_at.ts';
import { storeDone } from './done.ts';
import { overriddenBase, writtenAddress } from './operand_address.ts';
import { readOnlyMapping } from './read_only_mapping.ts';

/** The read-only mapping through which the guest writes, and the entry behind it. */
type Target = { readonly mapping: Place; readonly place: Place };

/** Emulate the write that faulted at `address`, or null when the fault is the guest's own affair. */
export const emulatePageTableWrite = (machine: Machine, at: VcpuRef, address: Word): Machine | null => {
  if (!assisted(machine, at.domid)) return null;
  const target = findTarget(machine, at, address);
  const instruction = target && decodeAt(machine, at);
  if (!target || !instruction) return null;
  const size = writtenSize(instruction);
  const written = writtenAddress(vcpuOf(machine, at).cpu, machine.memory, instruction);
  if (size === 0 || !equal(written, address) || (address.lo & (size - 1)) !== 0) return null;
  const base = overriddenBase(vcpuOf(machine, at).cpu, instruction);
  if (!isZero(base)) return segmented(instruction, address, base);
  return carryOut(machine, at, target, size);
};

/** Xen takes the offset for the address. In another page than the fault that is the guest's affair; what it does in the same is left out. */
const segmented = ({ mnemonic }: Instruction, address: Word, base: Word): null => {
  const offset = sub(address, base);
  if (mnemonic !== 'movs' && (offset.hi !== address.hi || (offset.lo ^ address.lo) >>> 12 !== 0)) return null;
  throw new NotModelled('emulation/ptwr-segment');
};

/** Dom0's faults on read-only mappings always come this way; other domains ask for it. */
const assisted = (machine: Machine, domid: number): boolean =>
  domid === 0 || (domainOf(machine, domid).vmAssist & (1n << BigInt(VMASST_TYPE.writable_pagetables))) !== 0n;

const findTarget = (machine: Machine, at: VcpuRef, address: Word): Target | null => {
  const found = readOnlyMapping(machine, at, address);
  if (!found) return null;
  const { table, index } = found.used[3];
  const table1 = frame(machine, found.frame);
  if (table1?.owner !== at.domid || table1.type !== 'l1' || table1.typeRefs === 0) return null;
  return { mapping: { mfn: table, index }, place: { mfn: found.frame, index: (address.lo & 0xfff) >> 3 } };
};

/** Instructions that write elsewhere than at their operand's address, or of which Xen's emulator lacks what it needs. */
const OTHERWISE: readonly string[] = ['bts', 'btr', 'btc', 'cmpxchg8b', 'mov_from_seg'];

/** Bytes that the instruction writes to its memory operand; 0 for instructions that Xen does not emulate here. */
const writtenSize = ({ mnemonic, dst, size }: Instruction): number => {
  if (mnemonic === 'stos' || mnemonic === 'movs') return size;
  if (OTHERWISE.includes(mnemonic)) throw new NotModelled(`emulation/ptwr-${mnemonic}`);
  return dst.kind === 'mem' && !['cmp', 'test', 'bt'].includes(mnemonic) ? dst.size : 0;
};

/**
 * What would the instruction write? It is run on a memory in which the mapping is writable; of that run the processor's state
 * and the written entry are kept.
 */
const carryOut = (machine: Machine, at: VcpuRef, { mapping, place }: Target, size: number): Machine | null => {
  const { cpu } = vcpuOf(machine, at);
  if (size < 8 && mapping.mfn === place.mfn && mapping.index === place.index) throw new NotModelled('emulation/ptwr-self');
  const readOnly = entryAt(machine, mapping);
  const open = writeWord(machine.memory, mapping.mfn, mapping.index, or(readOnly, word(0, PTE.RW)));
  const trial = executeInstruction({ ...cpu, flags: cpu.flags & ~FLAG.TF }, open, { cpuid: [], tsc: word(0, 0) });
  if (trial.kind !== 'retired') return null;
  const wanted = readWord(trial.memory, place.mfn, place.index);
  const memory = closed(trial.memory, machine, { mapping, place }, readOnly);
  const ran = setCpu(setMemory(machine, memory), at, { ...trial.cpu, flags: trial.cpu.flags | (cpu.flags & FLAG.TF) });
  const stored = storeEntry(ran, at.domid, place, wanted);
  if (stored === null) return null;
  return storeDone(emit(stored, { kind: 'emulated', at, instruction: 'ptwr' }), at, trial.cpu.rip);
};

/** The trial's memory with the mapping and the entry as they were. */
const closed = (trial: Memory, before: Machine, { mapping, place }: Target, readOnly: Word): Memory => {
  const old = readWord(before.memory, place.mfn, place.index);
  return writeWord(writeWord(trial, place.mfn, place.index, old), mapping.mfn, mapping.index, readOnly);
};

/** Take what the new entry maps, write it, give back what the old one held. Null: the guest gets its page fault. */
const storeEntry = (machine: Machine, domid: number, place: Place, wanted: Word): Machine | null => {
  const old = entryAt(machine, place);
  if (!isPresent(wanted)) return putPageFromL1e(writeEntry(cite(machine, 'emulation/ptwr-cleared'), place, wanted), old);
  const taken = getPageFromL1e(machine, wanted, own(domid));
  if (taken.errno) return null;
  const entry = adjusted(new Word(wanted.hi, wanted.lo ^ taken.flip), 1);
  return putPageFromL1e(writeEntry(cite(taken.machine, 'emulation/ptwr-written'), place, entry), old);
};
