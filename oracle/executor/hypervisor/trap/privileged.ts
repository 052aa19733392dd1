/** Privileged instructions that Xen carries out for a guest kernel: they raise #GP(0) in ring 3, and Xen looks what they were. */

import { FLAT } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DB } from '../../cpu/exit.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { CS } from '../../cpu/interface.ts';
import { accessOk } from '../guest_access.ts';
import { setTaskSwitched } from '../hypercall/processor.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { moveControl, moveFromControl } from './control_registers.ts';
import { moveDebug, moveFromDebug } from './debug_moves.ts';
import { injectException, injectPageFault } from './inject.ts';
import { hasIopl } from './io_permission.ts';
import { readMsr, writeMsr } from './msr.ts';
import { portIn, portOut } from './ports.ts';
import { portString } from './string_ports.ts';
import { emulateRdtsc, emulateRdtscp } from './time_stamp.ts';
import { emulateXsetbv } from './xsetbv.ts';

/** DR6.BS, and the bits of DR6 that read as one. */
const DR6_SINGLE_STEP = 0x4000;
const DR6_ONES = 0xffff0ff0 | 0;

/**
 * What came of it: carried out, carried out in part (the guest makes it again), an exception of its own is pending, to be made again after an
 * upcall, or not Xen's business (the guest gets its #GP).
 */
export type Emulation = 'done' | 'again' | 'exception' | 'retry' | 'refused';

type Emulate = (machine: Machine, vcpu: Vcpu, instruction: Instruction) => Emulation;

const nothing: Emulate = () => 'done';
const interruptFlag: Emulate = (_machine, vcpu) => (hasIopl(vcpu) ? 'done' : 'refused');
const inKernel =
  (emulate: Emulate): Emulate =>
  (machine, vcpu, instruction) =>
    vcpu.kernelMode ? emulate(machine, vcpu, instruction) : 'refused';
/** By opcode; the names are the mnemonics of the opcode table. */
const EMULATED: ReadonlyMap<number, { readonly name: string; readonly emulate: Emulate }> = new Map<
  number,
  { name: string; emulate: Emulate }
>([
  [0xfa, { name: 'cli', emulate: interruptFlag }],
  [0xfb, { name: 'sti', emulate: interruptFlag }],
  ...[0xe4, 0xe5, 0xec, 0xed].map((opcode) => [opcode, { name: 'in', emulate: portIn }] as const),
  ...[0xe6, 0xe7, 0xee, 0xef].map((opcode) => [opcode, { name: 'out', emulate: portOut }] as const),
  ...[0x6c, 0x6d].map((opcode) => [opcode, { name: 'ins', emulate: portString }] as const),
  ...[0x6e, 0x6f].map((opcode) => [opcode, { name: 'outs', emulate: portString }] as const),
  [0x0f06, { name: 'clts', emulate: inKernel((_machine, vcpu) => clearTaskSwitched(vcpu)) }],
  [0x0f09, { name: 'wbinvd', emulate: inKernel(nothing) }],
  [0x0f20, { name: 'mov_from_cr', emulate: inKernel(moveFromControl) }],
  [0x0f21, { name: 'mov_from_dr', emulate: inKernel(moveFromDebug) }],
  [0x0f22, { name: 'mov_to_cr', emulate: inKernel(moveControl) }],
  [0x0f23, { name: 'mov_to_dr', emulate: inKernel(moveDebug) }],
  [0x0f30, { name: 'wrmsr', emulate: inKernel(writeMsr) }],
  [0x0f31, { name: 'rdtsc', emulate: emulateRdtsc }],
  [0x0f32, { name: 'rdmsr', emulate: inKernel(readMsr) }],
]);
/** Those of opcode 0F 01, by ModRM. */
const GROUP_7 = 0x0f01;
const IN_GROUP_7: ReadonlyMap<number, { readonly name: string; readonly emulate: Emulate }> = new Map([
  [0xd1, { name: 'xsetbv', emulate: emulateXsetbv }],
  [0xf9, { name: 'rdtscp', emulate: emulateRdtscp }],
]);

const clearTaskSwitched = (vcpu: Vcpu): Emulation => {
  setTaskSwitched(vcpu, false);
  return 'done';
};

/** In Xen's own 64-bit code segment; of any other the descriptor is looked at anew. */
const isIn64BitCode = ({ savedCs, cpu }: Vcpu): boolean => savedCs === FLAT.RING3_CS64 && cpu.selector(CS) === FLAT.RING3_CS64;

/** True when the instruction at RIP was Xen's to handle: done, or with an exception pending. */
export const emulatePrivileged = (machine: Machine, vcpu: Vcpu): boolean => {
  if (!isIn64BitCode(vcpu) && !vcpu.cpu.xen.adoptCode(vcpu.savedCs)) return false;
  const instruction = vcpu.cpu.instruction();
  if (instruction === null) return faultOfFetch(machine, vcpu);
  const found = instruction.opcode === GROUP_7 ? IN_GROUP_7.get(instruction.modrm) : EMULATED.get(instruction.opcode);
  if (!found) return false;
  const outcome = found.emulate(machine, vcpu, instruction);
  if (outcome === 'done') finishInstruction(machine, vcpu, instruction.length, found.name);
  else if (outcome === 'again') finishInstruction(machine, vcpu, 0, found.name);
  return outcome !== 'refused';
};

/**
 * Where IRET refused to go the instruction may be unreadable; the guest gets the page fault of Xen's reading (clause emulation/unreadable). A
 * fetch in Xen's own range, or that failed otherwise, leaves the guest its #GP.
 */
const faultOfFetch = (machine: Machine, vcpu: Vcpu): boolean => {
  const address = vcpu.cpu.fetchFault();
  if (address === null) return false;
  const [lo, hi] = [Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n))];
  if (!accessOk(hi)) return false;
  injectPageFault(machine, vcpu, 0, lo, hi);
  return true;
};

/** Step over an instruction that Xen has carried out; single-stepping goes on, and breakpoints that it hit are told. */
export const finishInstruction = (machine: Machine, vcpu: Vcpu, length: number, name: string): void => {
  const { cpu } = vcpu;
  cpu.rip = BigInt.asUintN(64, cpu.rip + BigInt(length));
  machine.emit({ kind: 'emulated', at: vcpu.ref, instruction: name });
  vcpu.savedFlags.lo &= ~RFLAGS.RF;
  const causes = vcpu.breakpointHits | ((vcpu.savedFlags.lo & RFLAGS.TF) === 0 ? 0 : DR6_SINGLE_STEP);
  vcpu.breakpointHits = 0;
  if (causes === 0) return;
  vcpu.dr6 |= causes | DR6_ONES;
  injectException(vcpu, DB, -1);
};
