/** ENTER onto an L1 table: Xen makes its stores one after the other, and those that were made stay when a later one is refused. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { RBP, RSP } from '../../cpu/interface.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectPageFault } from './inject.ts';
import { ENTRY_BYTES, finishStore, storeToTable, type TableFault } from './store_to_table.ts';

/** Levels of outer frames that are copied are counted modulo 32. */
const LEVELS = 31;
const PAGE = 4096n;

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
const high = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

/** The stack is as wide as the guest's code, and so is what is pushed, or 16 bits. True when Xen has dealt with it. */
export const emulateEnter = (machine: Machine, vcpu: Vcpu, fault: TableFault, instruction: Instruction): boolean => {
  const { cpu } = vcpu;
  const width = vcpu.domain.compat ? 4 : 8;
  const bits = 8 * width;
  const size = instruction.size === 2 ? 2 : width;
  const frame = cpu.gpr(RBP);
  let sp = cpu.gpr(RSP);
  const push = (value: bigint): boolean => {
    sp = BigInt.asUintN(bits, sp - BigInt(size));
    const bytes = new DataView(new ArrayBuffer(ENTRY_BYTES));
    bytes.setBigUint64(0, value, true);
    return storeToTable(machine, vcpu, fault, { lo: low(sp), hi: high(sp), size, value: bytes }, true);
  };

  if (!push(frame)) return false;
  const newFrame = sp;
  const levels = instruction.immediate2 & LEVELS;
  for (let i = 1; i < levels; i++) {
    const from = BigInt.asUintN(bits, frame - BigInt(i * size));
    const value = read(machine, vcpu, from, size);
    if (value === null) return true;
    if (!push(value)) return false;
  }
  if (levels > 0 && !push(newFrame)) return false;

  cpu.setGpr(RBP, size === 2 ? (frame & ~0xffffn) | (newFrame & 0xffffn) : newFrame);
  cpu.setGpr(RSP, BigInt.asUintN(bits, sp - BigInt(instruction.immediate & 0xffff)));
  cpu.rip = BigInt.asUintN(bits, cpu.rip + BigInt(instruction.length));
  vcpu.savedFlags.lo &= ~RFLAGS.RF;
  finishStore(machine, vcpu);
  return true;
};

const lastCopied = (size: number): bigint =>
  size === 8 ? scratch.getBigUint64(0, true) : BigInt(size === 4 ? scratch.getUint32(0, true) : scratch.getUint16(0, true));

/** A value of an outer frame; null: it cannot be read, and that is the guest's page fault. */
const read = (machine: Machine, vcpu: Vcpu, from: bigint, size: number): bigint | null => {
  if (copyFromGuest(machine, vcpu, low(from), high(from), size)) return lastCopied(size);
  const room = Number(PAGE - (from % PAGE));
  const reached = room < size && copyFromGuest(machine, vcpu, low(from), high(from), room) ? room : 0;
  const at = BigInt.asUintN(64, from + BigInt(reached));
  injectPageFault(machine, vcpu, 0, low(at), high(at));
  return null;
};
