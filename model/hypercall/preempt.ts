/** When a long hypercall stops to let something else happen first. Chapter: spec/chapters/hypercall.md. */
import type { VcpuRef } from '#spec/event.ts';
import type { Machine } from '../machine.ts';
import { isTimerDue } from '../time/timers.ts';
import { eventsNeedDelivery } from '../vcpu_info.ts';

/**
 * Something waits for the caller's pCPU: an upcall that could be delivered, a timer that the call so far has set and that is due, or
 * the caller has given up its pCPU.
 */
export const preemptCheck = (machine: Machine, caller: VcpuRef): boolean =>
  machine.reschedule || isTimerDue(machine) || eventsNeedDelivery(machine, caller);
