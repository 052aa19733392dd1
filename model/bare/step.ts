/** The bare machine takes an input: step(machine, input) → machine and what happened. */
import type { BareEvent, BareInput } from '#spec/bare/machine.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { BadInput } from '#spec/failure.ts';
import { atTime, forgetClauses, receive } from '../device/devices.ts';
import { execute } from './execute.ts';
import { textBytes } from './loaded.ts';
import { cite, type Machine } from './machine.ts';
import { withDevices } from './outside.ts';

export type Outcome = {
  readonly machine: Machine;
  readonly events: readonly BareEvent[];
  readonly retired: number;
  readonly clauses: readonly ClauseId[];
};

/** Throws BadInput for an input that makes no sense now, NotModelled for what the machine lacks. A machine that has ended stays as it is. */
export const step = (before: Machine, input: BareInput): Outcome => {
  const after = before.ended === null ? apply(before, input) : before;
  const { events, cited } = cite(after, after.devices.cited);
  const machine: Machine = { ...after, events: [], cited: [], devices: forgetClauses(after.devices) };
  return { machine, events, retired: machine.retired - before.retired, clauses: cited };
};

const apply = (m: Machine, input: BareInput): Machine => {
  switch (input.kind) {
    case 'execute':
      return execute(m, input.steps);
    case 'time':
      if (input.now < m.now) throw new BadInput(`time: ${input.now} is before ${m.now}`);
      return withDevices({ ...m, now: input.now, retiredAtTime: m.retired }, atTime(m.devices, input.now));
    case 'serial':
      return withDevices(m, receive(m.devices, [...textBytes(input.bytes)]));
  }
};
