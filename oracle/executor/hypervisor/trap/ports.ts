/** IN and OUT of a guest with enough I/O privilege. Devices are not modelled: ports that nobody answers, and the debug port of dom0. */

import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { RAX, RDX } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import type { Emulation } from './privileged.ts';

const DEBUG_PORT = 0xe9;
/** Xen keeps these from dom0: interrupt controllers, timer, its own serial line, power management timer. */
const WITHHELD: ReadonlySet<number> = new Set([0x20, 0x21, 0xa0, 0xa1, 0x40, ...range(0x3f8, 8), ...range(0x608, 4)]);
/** Xen answers these itself, for every domain: timer, clock, PCI configuration. */
const VIRTUAL: ReadonlySet<number> = new Set([0x42, 0x43, 0x61, 0x70, 0x71, ...range(0xcf8, 8)]);

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Enough I/O privilege: guest kernel counts as ring 1, or as ring 0 with the architectural_iopl assist. */
export const hasIopl = (vcpu: Vcpu): boolean => {
  const architectural = (vcpu.domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0;
  return (vcpu.kernelMode ? (architectural ? 0 : 1) : 3) <= vcpu.iopl;
};

const widthOf = ({ opcode, size66 }: Instruction): 1 | 2 | 4 => ((opcode & 1) === 0 ? 1 : size66 ? 2 : 4);
const portOf = (vcpu: Vcpu, { opcode, immediate }: Instruction): number =>
  (opcode & 8) === 0 ? immediate & 0xff : vcpu.cpu.gprLo(RDX) & 0xffff;

/** Throws NotModelled for a port behind which there is something. Answers whether it is the debug port. */
const check = (vcpu: Vcpu, port: number, width: number): boolean => {
  if (vcpu.domain.privileged && port === DEBUG_PORT && width === 1) return true;
  for (const byte of range(port, width)) {
    if (VIRTUAL.has(byte) || (vcpu.domain.privileged && !WITHHELD.has(byte))) throw new NotModelled(`port/${byte.toString(16)}`);
  }
  return false;
};

export const portIn = (_machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  if (!hasIopl(vcpu)) return 'refused';
  const width = widthOf(instruction);
  const value = check(vcpu, portOf(vcpu, instruction), width) ? DEBUG_PORT : -1;
  const { cpu } = vcpu;
  if (width === 4) cpu.setGprHalves(RAX, value, 0);
  else {
    const mask = width === 1 ? 0xff : 0xffff;
    cpu.setGprHalves(RAX, (cpu.gprLo(RAX) & ~mask) | (value & mask), cpu.gprHi(RAX));
  }
  return 'done';
};

export const portOut = (_machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  if (!hasIopl(vcpu)) return 'refused';
  check(vcpu, portOf(vcpu, instruction), widthOf(instruction));
  return 'done';
};

export const portString = (_machine: Machine, vcpu: Vcpu): Emulation => {
  if (hasIopl(vcpu)) throw new NotModelled('port/string');
  return 'refused';
};
