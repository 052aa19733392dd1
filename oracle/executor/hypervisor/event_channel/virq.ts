/** Which virtual interrupts belong to a vCPU, and which to the whole domain. */
import { VIRQ } from '#spec/abi/xen.ts';

/** A global VIRQ is bound on vCPU 0 only; VIRQ_ARCH_* are global on x86. */
export const virqIsGlobal = (virq: number): boolean =>
  virq !== VIRQ.TIMER && virq !== VIRQ.DEBUG && virq !== VIRQ.XENOPROF && virq !== VIRQ.XENPMU;
