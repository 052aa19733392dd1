/** Breakpoints and debug exceptions in the kernel of a domain that XEN_DOMCTL_setdebugging marked: kept for a debugger, which Xen was built without. */
import { BP, DB } from '../../cpu/exit.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException } from './inject.ts';

const KERNEL_RING_32 = 1;

const isInKernel = (vcpu: Vcpu): boolean => (vcpu.domain.compat ? (vcpu.savedCs & 3) === KERNEL_RING_32 : vcpu.kernelMode);

/** The processor raised the exception in the guest. */
export const injectUnlessDebugged = (machine: Machine, vcpu: Vcpu, vector: number, error: number): void => {
  const isKept =
    (vector === BP || vector === DB) && vcpu.domain.debugged && machine.ways['setdebugging-traps'] === 'kept' && isInKernel(vcpu);
  if (!isKept) injectException(vcpu, vector, error);
};
