/** The machine's transition: one input, the next machine, and what happened. Pure: the old machine stays as it was. */

import { BadInput } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { typeAtConsole } from './console_input.ts';
import { execute } from './execute.ts';
import { clausesOf, EMPTY_JOURNAL, eventsOf, openJournal } from './journal.ts';
import type { Machine } from './machine.ts';
import type { Outcome } from './outcome.ts';
import { schedule } from './sched/context.ts';
import { passTime } from './time/pass.ts';
import { stretchesOf } from './work.ts';

/**
 * Apply one input. Throws BadInput when the input makes no sense in this state, NotModelled when the guest asks for what the
 * slice lacks. A machine that dom0's end has stopped accepts every input and stays as it is.
 */
export const step = (machine: Machine, input: Input): Outcome => {
  const next = machine.halted === null ? transition({ ...machine, journal: openJournal(machine.journal) }, input) : machine;
  return {
    machine: { ...next, reschedule: false, questions: 0, forced: NONE, journal: EMPTY_JOURNAL },
    events: eventsOf(next.journal),
    clauses: clausesOf(next.journal),
    questions: next.questions,
    work: stretchesOf(next.journal.work),
    retired: next.retired - machine.retired,
  };
};

const NONE: readonly number[] = [];

const transition = (machine: Machine, input: Input): Machine => {
  switch (input.kind) {
    case 'execute':
      if (input.cpu >= machine.cpus.length) throw new BadInput(`input: there is no pCPU ${input.cpu}`);
      return execute(input.preempt ? { ...machine, forced: input.preempt } : machine, input.cpu, input.steps);
    case 'schedule':
      return schedule(machine, input.cpu, input.vcpu);
    case 'time':
      return passTime(machine, input.now);
    case 'console_input':
      return typeAtConsole(machine, input.bytes);
  }
};
