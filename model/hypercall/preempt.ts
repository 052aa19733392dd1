/** When a long hypercall stops to let something else happen first. Chapter: spec/chapters/hypercall.md. */
import type { VcpuRef } from '#spec/event.ts';
import type { Machine } from '../machine.ts';
import { eventsNeedDelivery } from '../vcpu_info.ts';

/** Something waits for the caller's pCPU: an upcall that could be delivered, or the caller has given up its pCPU. */
export const preemptCheck = (machine: Machine, caller: VcpuRef): boolean => machine.reschedule || eventsNeedDelivery(machine, caller);
