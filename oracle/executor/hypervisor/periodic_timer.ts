/** The periodic timer of a vCPU. It ticks only while a pCPU holds the vCPU; a tick missed meanwhile is made up for once. */
import { VIRQ } from '#spec/abi/xen.ts';
import type { Machine } from './machine.ts';
import { sendGuestVcpuVirq } from './upcall.ts';
import type { Vcpu } from './vcpu.ts';

/** Send the tick if it is time, and arm the timer for the next. For a vCPU that a pCPU holds. */
export const startPeriodic = (machine: Machine, vcpu: Vcpu): void => {
  const period = vcpu.periodicPeriod;
  if (period === null) return;
  if (machine.now >= vcpu.periodicLast + period) {
    machine.emit({ kind: 'timer', at: vcpu.ref, which: 'periodic' });
    sendGuestVcpuVirq(machine, vcpu, VIRQ.TIMER);
    vcpu.periodicLast = machine.now;
  }
  vcpu.periodicDue = vcpu.periodicLast + period;
};

export const stopPeriodic = (vcpu: Vcpu): void => {
  vcpu.periodicDue = null;
};
