/** Writes of domain 0's kernel to device memory that it may only read. Chapter: spec/chapters/emulation.md, "Read-only device memory". */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import type { CpuState } from '../cpu/x86/state.ts';
import { executeInstruction } from '../cpu/x86/step.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { writeWord } from '../memory/memory.ts';
import { isReadOnlyIo } from '../page_type/owner.ts';
import { entryFor, PTE } from '../page_type/pte.ts';
import { FLAG } from '../traps/bounce.ts';
import { equal, isZero, type Word, ZERO } from '../word/word.ts';
import { decodeAt } from './decode_at.ts';
import { storeDone } from './done.ts';
import { overriddenBase, writtenAddress } from './operand_address.ts';
import { X87_STORES } from './page_table_store.ts';
import { readOnlyMapping } from './read_only_mapping.ts';

/** Go on behind the write that faulted at `address`, without writing; null when the guest is to have its page fault. */
export const emulateReadOnlyMmio = (machine: Machine, at: VcpuRef, address: Word): Machine | null => {
  const mapping = at.domid === 0 ? readOnlyMapping(machine, at, address) : null;
  if (!mapping || !isReadOnlyIo(mapping.frame)) return null;
  const instruction = decodeAt(machine, at);
  const size = instruction ? storedSize(instruction) : 0;
  if (!instruction || size === 0 || (address.lo & (size - 1)) !== 0) return null;
  const cpu = as64Bit(vcpuOf(machine, at).cpu);
  if (!equal(writtenAddress(cpu, machine.memory, instruction), address)) return null;
  // Xen compares the offset in the segment.
  if (!isZero(overriddenBase(cpu, instruction))) return null;
  const { table, index } = mapping.used[3];
  const after = withoutStore(machine, at, table, index);
  if (!after) return null;
  const dropped = emit(cite(setCpu(machine, at, after), 'emulation/mmio_ro-dropped'), { kind: 'emulated', at, instruction: 'mmio_ro' });
  return storeDone(dropped, at, after.rip);
};

/** emulation/ptwr-mode: here too the emulator takes everything for 64-bit code. */
const as64Bit = (cpu: CpuState): CpuState => ({ ...cpu, system: { ...cpu.system, mode: '64' } });

/**
 * The processor after the instruction, but for the store: it is run on a memory in which the mapping is writable and leads to RAM, and
 * that memory is thrown away.
 */
const withoutStore = (machine: Machine, at: VcpuRef, table: number, index: number): CpuState | null => {
  const { cpu } = vcpuOf(machine, at);
  const open = writeWord(machine.memory, table, index, entryFor(table, PTE.P | PTE.RW | PTE.US, 0));
  const trial = executeInstruction({ ...as64Bit(cpu), flags: cpu.flags & ~FLAG.TF }, open, { cpuid: [], tsc: ZERO });
  return trial.kind === 'retired' ? { ...trial.cpu, flags: trial.cpu.flags | (cpu.flags & FLAG.TF), system: cpu.system } : null;
};

/** Instructions that write to memory and read none of it, nor a segment register: Xen's emulator can do neither here. */
const STORES: readonly string[] = ['mov', 'movbe', 'stos'];
/** Their stack would have to lie in device memory. */
const PUSHES: readonly string[] = ['push', 'pushf', 'call', 'enter'];

/** Bytes that the instruction stores; 0 when it is none of those. */
const storedSize = ({ mnemonic, dst }: Instruction): number => {
  if (PUSHES.some((name) => mnemonic.startsWith(name))) throw new NotModelled(`emulation/mmio_ro-${mnemonic}`);
  if (X87_STORES.includes(mnemonic)) throw new NotModelled('emulation/mmio_ro-x87');
  if (mnemonic === 'stos') return dst.size;
  if (dst.kind !== 'mem' || !(STORES.includes(mnemonic) || mnemonic.startsWith('set'))) return 0;
  return dst.size;
};
