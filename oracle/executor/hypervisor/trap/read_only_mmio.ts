/**
 * Stores of domain 0 through a read-only mapping of a device that it may only read: Xen passes over them (clause emulation/mmio_ro-dropped).
 * Its emulator can write here but not read, nor look into segments: whatever needs that is left to the guest as a page fault.
 */
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DB } from '../../cpu/exit.ts';
import { type Instruction, NEXT_RIP, NO_REGISTER } from '../../cpu/instruction.ts';
import { FS, RCX, RDI } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { frameOf, PTE } from '../mm/entry.ts';
import { readableGuestL1e } from '../mm/guest_l1e.ts';
import { isReadOnlyIo } from '../mm/io_memory.ts';
import type { Vcpu } from '../vcpu.ts';
import { fetchAsGuestCode } from './emulated_fetch.ts';
import { injectException } from './inject.ts';

/** MOV, MOVBE and STOS: as wide as their operand, a byte for even opcodes (MOVBE aside). */
const STORES: ReadonlySet<number> = new Set([0x88, 0x89, 0xa2, 0xa3, 0xc6, 0xc7, 0xaa, 0xab, 0x0f38f1]);
const STOS: ReadonlySet<number> = new Set([0xaa, 0xab]);
const FIRST_SETCC = 0x0f90;
const LAST_SETCC = 0x0f9f;
const PAGE_OFFSET = 0xfff;
const ON_STACK: ReadonlySet<string> = new Set(['push', 'pushf', 'push_seg', 'call', 'call_far', 'enter']);

/** Bytes that the instruction stores; 0 when it does more than to store. */
const storeSize = ({ opcode, size }: Instruction): number => {
  if (opcode >= FIRST_SETCC && opcode <= LAST_SETCC) return 1;
  if (!STORES.has(opcode)) return 0;
  return (opcode & 1) === 0 ? 1 : size;
};

/** A kernel's write to the present address `hi:lo` faulted. True when Xen has dealt with it. */
export const dropReadOnlyStore = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  if (!vcpu.domain.privileged || !mapsReadOnlyIo(machine, vcpu, lo, hi)) return false;
  const { cpu } = vcpu;
  const instruction = fetchAsGuestCode(machine, vcpu);
  if (instruction === null || instruction === 'fault') return instruction === 'fault';
  const { row, length } = instruction;
  if (ON_STACK.has(row.mnemonic)) throw new NotModelled(`emulation/mmio_ro-${row.mnemonic}`);
  const size = storeSize(instruction);
  if (size === 0 || (lo & (size - 1)) !== 0 || !isFlat(vcpu, instruction)) return false;
  // A store that begins on the page before faults here too.
  if ((lo & PAGE_OFFSET) === 0 && (offsetOf(vcpu, instruction) & BigInt(PAGE_OFFSET)) !== 0n) return false;
  const again = STOS.has(instruction.opcode) && stepString(vcpu, instruction, size);
  if (!again) cpu.rip = BigInt.asUintN(64, cpu.rip + BigInt(length));
  machine.emit({ kind: 'emulated', at: vcpu.ref, instruction: 'mmio_ro' });
  if ((vcpu.savedFlags.lo & RFLAGS.TF) !== 0) injectException(vcpu, DB, -1);
  return true;
};

const mapsReadOnlyIo = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  const at = readableGuestL1e(machine, vcpu.kernelTable, lo, hi);
  if (at < 0) return false;
  const { view } = machine.memory;
  const entry = view.getInt32(at, true);
  return (entry & (PTE.PRESENT | PTE.RW)) === PTE.PRESENT && isReadOnlyIo(frameOf(entry, view.getInt32(at + 4, true)));
};

/** Where in its segment the operand begins. */
const offsetOf = (
  { cpu }: Vcpu,
  { opcode, base, index, scale, displacement, displacementHigh, length, address32 }: Instruction,
): bigint => {
  const register = (number: number): bigint => {
    if (number === NEXT_RIP) return cpu.rip + BigInt(length);
    return number === NO_REGISTER ? 0n : cpu.gpr(number);
  };
  const moved = (BigInt(displacementHigh) << 32n) | BigInt(displacement >>> 0);
  const offset = STOS.has(opcode) ? cpu.gpr(RDI) : register(base) + (register(index) << BigInt(scale)) + moved;
  return BigInt.asUintN(address32 ? 32 : 64, offset);
};

/** Xen compares the offset in the segment with the address of the fault; STOS always uses ES. */
const isFlat = ({ cpu }: Vcpu, { segment, opcode }: Instruction): boolean => {
  if (segment < 0 || STOS.has(opcode)) return true;
  return (segment === FS ? cpu.fsBase : cpu.gsBase) === 0n;
};

/** One iteration of STOS: RDI moves on, and RCX with REP. True when more are to come. */
const stepString = ({ cpu, savedFlags }: Vcpu, { address32, rep }: Instruction, size: number): boolean => {
  const width = address32 ? 32 : 64;
  const move = (savedFlags.lo & RFLAGS.DF) === 0 ? size : -size;
  cpu.setGpr(RDI, BigInt.asUintN(width, cpu.gpr(RDI) + BigInt(move)));
  if (rep === 0) return false;
  const left = BigInt.asUintN(width, cpu.gpr(RCX) - 1n);
  cpu.setGpr(RCX, left);
  return left !== 0n;
};
