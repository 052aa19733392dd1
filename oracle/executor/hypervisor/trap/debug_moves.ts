/** MOV to and from debug registers, by a guest kernel. */
import { GP, UD } from '../../cpu/exit.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { DR_MISSING, readDebugRegister, writeDebugRegister } from '../debug_registers.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException } from './inject.ts';
import type { Emulation } from './privileged.ts';

export const moveFromDebug = (_machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const value = readDebugRegister(vcpu, instruction.reg);
  if (value === null) {
    injectException(vcpu, UD, -1);
    return 'exception';
  }
  vcpu.cpu.setGprHalves(instruction.rm, value.lo, value.hi);
  return 'done';
};

export const moveDebug = (_machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const { cpu } = vcpu;
  const outcome = writeDebugRegister(vcpu, instruction.reg, cpu.gprLo(instruction.rm), cpu.gprHi(instruction.rm));
  if (outcome === 'written') return 'done';
  if (outcome === DR_MISSING) injectException(vcpu, UD, -1);
  else injectException(vcpu, GP, 0);
  return 'exception';
};
