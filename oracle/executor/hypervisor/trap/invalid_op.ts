/** #UD of a guest: the marked CPUID that Xen answers itself, or the guest's own fault. */
import { UD } from '../../cpu/exit.ts';
import { RAX, RBX, RCX, RDX } from '../../cpu/interface.ts';
import { copyFromGuest, SCRATCH } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { forcedCpuid } from './forced_cpuid.ts';
import { injectException, injectPageFault } from './inject.ts';
import { finishInstruction } from './privileged.ts';

/** ud2; "xen" */
const MARK = [0x0f, 0x0b, 0x78, 0x65, 0x6e];
const CPUID = [0x0f, 0xa2];
const LENGTH = MARK.length + CPUID.length;

const half = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Read bytes at RIP + offset into the scratch buffer; when that faults the fault is the guest's, and the answer false. */
const fetch = (machine: Machine, vcpu: Vcpu, offset: number, length: number): boolean => {
  const start = BigInt.asUintN(64, vcpu.cpu.rip + BigInt(offset));
  if (copyFromGuest(machine, vcpu, half(start), half(start >> 32n), length)) return true;
  const room = 4096 - Number(start & 0xfffn);
  const reached = room < length && copyFromGuest(machine, vcpu, half(start), half(start >> 32n), room) ? room : 0;
  const fault = BigInt.asUintN(64, start + BigInt(reached));
  injectPageFault(machine, vcpu, 0, half(fault), half(fault >> 32n));
  return false;
};

const startsWith = (bytes: readonly number[]): boolean => bytes.every((byte, i) => SCRATCH[i] === byte);

export const handleInvalidOp = (machine: Machine, vcpu: Vcpu): void => {
  if (!fetch(machine, vcpu, 0, MARK.length)) return;
  const marked = startsWith(MARK);
  if (marked && !fetch(machine, vcpu, MARK.length, CPUID.length)) return;
  if (!marked || !startsWith(CPUID)) {
    injectException(vcpu, UD, -1);
    return;
  }
  const { cpu } = vcpu;
  const [eax, ebx, ecx, edx] = forcedCpuid(machine, vcpu, cpu.gprLo(RAX) >>> 0, cpu.gprLo(RCX) >>> 0);
  cpu.setGprHalves(RAX, eax, 0);
  cpu.setGprHalves(RBX, ebx, 0);
  cpu.setGprHalves(RCX, ecx, 0);
  cpu.setGprHalves(RDX, edx, 0);
  finishInstruction(machine, vcpu, LENGTH, 'cpuid');
};
