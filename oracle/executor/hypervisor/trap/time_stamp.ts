/** RDTSC and RDTSCP where the processor refuses them to ring 3: Xen looks after them for the domain, or its kernel has set CR4.TSD, which refuses them to guest user alone. */
import { RAX, RCX, RDX } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { guestTsc } from '../system_time.ts';
import type { Vcpu } from '../vcpu.ts';
import { guestTscAux } from './msr.ts';
import type { Emulation } from './privileged.ts';

/** CR4.TSD. */
const CR4_TSD = 4;

export const emulateRdtsc = (machine: Machine, vcpu: Vcpu): Emulation => {
  if (!vcpu.kernelMode && (vcpu.cr4 & CR4_TSD) !== 0) return 'refused';
  const now = guestTsc(machine, vcpu.domain);
  vcpu.cpu.setGpr(RAX, now & 0xffffffffn);
  vcpu.cpu.setGpr(RDX, now >> 32n);
  return 'done';
};

export const emulateRdtscp = (machine: Machine, vcpu: Vcpu): Emulation => {
  const outcome = emulateRdtsc(machine, vcpu);
  if (outcome === 'done') vcpu.cpu.setGprHalves(RCX, guestTscAux(vcpu), 0);
  return outcome;
};
