/** IN and OUT of a guest that may use the port. */
import type { Instruction } from '../../cpu/instruction.ts';
import { RAX, RDX } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { ioBreakpoints, refusePort } from './io_permission.ts';
import { guestIoRead, guestIoWrite } from './port_space.ts';
import type { Emulation } from './privileged.ts';

/** Bytes that a port instruction moves. */
export const portWidth = ({ opcode, size }: Instruction): 1 | 2 | 4 => ((opcode & 1) === 0 ? 1 : size === 2 ? 2 : 4);
const portOf = (vcpu: Vcpu, { opcode, immediate }: Instruction): number =>
  (opcode & 8) === 0 ? immediate & 0xff : vcpu.cpu.gprLo(RDX) & 0xffff;

export const portIn = (machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const width = portWidth(instruction);
  const port = portOf(vcpu, instruction);
  const refused = refusePort(machine, vcpu, port, width);
  if (refused !== null) return refused;
  vcpu.breakpointHits = ioBreakpoints(vcpu, port, width);
  const value = guestIoRead(machine, vcpu, port, width);
  const { cpu } = vcpu;
  if (width === 4) cpu.setGprHalves(RAX, value, 0);
  else {
    const mask = width === 1 ? 0xff : 0xffff;
    cpu.setGprHalves(RAX, (cpu.gprLo(RAX) & ~mask) | (value & mask), cpu.gprHi(RAX));
  }
  return 'done';
};

export const portOut = (machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const width = portWidth(instruction);
  const port = portOf(vcpu, instruction);
  const refused = refusePort(machine, vcpu, port, width);
  if (refused !== null) return refused;
  vcpu.breakpointHits = ioBreakpoints(vcpu, port, width);
  guestIoWrite(machine, vcpu, port, width, vcpu.cpu.gprLo(RAX));
  return 'done';
};
