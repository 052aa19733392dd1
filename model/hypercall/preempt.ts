/** When a long operation stops to let something else happen first. Chapter: spec/chapters/hypercall.md, "Questions". */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { isTimerDue } from '../time/timers.ts';
import { eventsNeedDelivery } from '../vcpu_info.ts';
import { endStretch } from '../work.ts';

/** The answer to one question whether to stop; the machine has counted the question. */
export type Answer = { readonly machine: Machine; readonly stop: boolean };

/** Ask once, on behalf of the vCPU at work. */
export const preemptCheck = (machine: Machine, caller: VcpuRef): Answer => {
  const asked = countQuestions(machine, 1);
  return isForced(machine, 1)
    ? { machine: cite(asked, 'hypercall/continuation-anywhere'), stop: true }
    : { machine: asked, stop: somethingWaits(machine, caller) };
};

/**
 * Something waits for the caller's pCPU: an upcall that could be delivered, a timer that the call so far has set and that is due, or
 * the caller has given up its pCPU.
 */
export const somethingWaits = (machine: Machine, caller: VcpuRef): boolean =>
  machine.reschedule || isTimerDue(machine) || eventsNeedDelivery(machine, caller);

/** The `nth` question from now, from 1, is one that the input answers yes. */
export const isForced = (machine: Machine, nth: number): boolean =>
  machine.forced.length > 0 && machine.forced.includes(machine.questions + nth);

/** `count` questions more were asked. */
export const countQuestions = (machine: Machine, count: number): Machine => (count === 0 ? machine : asked(machine, count));

const asked = (machine: Machine, count: number): Machine => {
  endStretch(machine);
  return { ...machine, questions: machine.questions + count };
};
