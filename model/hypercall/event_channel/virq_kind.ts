/** Which virtual interrupts are global. */
import { VIRQ } from '#spec/abi/xen.ts';

const OF_ONE_VCPU: ReadonlySet<number> = new Set([VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU]);

/** Global VIRQs belong to a domain, the others to each of its vCPUs. */
export const virqIsGlobal = (virq: number): boolean => !OF_ONE_VCPU.has(virq);
