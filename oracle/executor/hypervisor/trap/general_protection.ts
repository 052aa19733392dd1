/** #GP of a guest: INT n that its virtual IDT allows, privileged instructions that Xen carries out, or the guest's own fault. */
import { TI } from '#spec/abi/xen.ts';
import { GP } from '../../cpu/exit.ts';
import { handleGate } from '../compat/gate.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException } from './inject.ts';
import { emulatePrivileged } from './privileged.ts';

/** Error code bit: the fault is about an IDT entry. */
const ERROR_IDT = 2;

/** Xen has been entered; RIP is at the instruction. */
export const handleGeneralProtection = (machine: Machine, vcpu: Vcpu, error: number): void => {
  if ((error & ERROR_IDT) !== 0) {
    const vector = (error >> 3) & 0xff;
    if (permitsSoftInterrupt(vcpu, vector)) {
      vcpu.cpu.rip = BigInt.asUintN(64, vcpu.cpu.rip + 2n);
      injectException(vcpu, vector, -1);
      return;
    }
  } else if (vcpu.domain.compat && error !== 0) {
    handleGate(machine, vcpu, error);
    return;
  }
  if (error === 0 && emulatePrivileged(machine, vcpu)) return;
  injectException(vcpu, GP, error);
};

/** The gate's privilege level admits the caller: guest kernel counts as 1, guest user as 3. */
const permitsSoftInterrupt = (vcpu: Vcpu, vector: number): boolean => (vcpu.trapFlags[vector] & TI.DPL_MASK) >= (vcpu.kernelMode ? 1 : 3);
