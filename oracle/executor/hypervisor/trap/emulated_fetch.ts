/** The instruction of a write that faulted, as Xen's emulator takes it. */
import type { Instruction } from '../../cpu/instruction.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectPageFault } from './inject.ts';

/** Page-fault error code: an instruction was fetched. */
const ERROR_FETCH = 16;

/**
 * All code of a 64-bit guest is taken for 64-bit code, that of a 32-bit one for 32-bit code: RIP is the address, whatever the base of CS.
 * 'fault': of other than 64-bit code nothing can be read there, and the guest has its page fault; null: the fault stays what it was.
 */
export const fetchAsGuestCode = (machine: Machine, vcpu: Vcpu): Instruction | 'fault' | null => {
  const { cpu } = vcpu;
  const { legacy } = cpu;
  if (vcpu.domain.compat) cpu.xen.takeFor32BitCode();
  else if (legacy) cpu.xen.takeFor64BitCode();
  const instruction = cpu.instruction();
  const address = instruction === null && legacy ? cpu.fetchFault() : null;
  if (address === null) return instruction;
  injectPageFault(machine, vcpu, ERROR_FETCH, Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n)));
  return 'fault';
};
