/** Where an instruction is about to write. */
import type { Instruction } from '../cpu/x86/instruction.ts';
import { cutAddress, linearAddress } from '../cpu/x86/operand.ts';
import { started } from '../cpu/x86/running.ts';
import { type CpuState, FS, GS, RDI } from '../cpu/x86/state.ts';
import type { Memory } from '../memory/memory.ts';
import { type Word, ZERO } from '../word/word.ts';

/** The base that an FS or GS override adds to the operand's address; Xen's emulation of stores leaves it out. */
export const overriddenBase = ({ segments }: CpuState, { mnemonic, dst, segment }: Instruction): Word => {
  const used = dst.kind === 'mem' ? dst.segment : mnemonic === 'movs' ? segment : 0;
  return used === FS ? segments.fsBase : used === GS ? segments.gsBase : ZERO;
};

/** Linear address of the operand that the instruction writes in memory. */
export const writtenAddress = (cpu: CpuState, memory: Memory, instruction: Instruction): Word => {
  if (instruction.dst.kind !== 'mem') return cutAddress(cpu.regs[RDI], instruction.addressSize);
  return linearAddress(started(cpu, memory, { cpuid: [], tsc: ZERO }), instruction, instruction.dst);
};
