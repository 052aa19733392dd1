/** The way to a state: what happened, from the beginning on. */
import type { Machine } from '#model/machine.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Program, Step } from '#spec/program.ts';
import type { Action, Core, Made } from './core.ts';
import { type Found, lineOf } from './expand.ts';
import type { StateTable } from './table.ts';

/** One thing that happened, and the machine before it. */
export type Taken = { readonly action: Action; readonly before: Machine };

const cleared = (machine: Machine): Machine => ({ ...machine, journal: { events: null, clauses: [] } });

/** What an action comes to: the number of the state, or what it breaks. */
const comesTo = (core: Core, action: Action, before: Machine): { after: Machine | null; state: number | null; what: string | null } => {
  try {
    const after = action.apply(before);
    if (after === null) return { after, state: null, what: null };
    return { after, state: core.encode(after), what: action.oversteps?.(before, after) ?? core.broken(after) };
  } catch (error) {
    return { after: null, state: null, what: lineOf(error) };
  }
};

/** Numbers of the states from the beginning to a place of the queue. */
const statesTo = (table: StateTable, place: number): number[] => {
  const states: number[] = [];
  for (let at = place; at >= 0; at = table.parents[at]!) states.unshift(table.states[at]!);
  return states;
};

/** The shortest way to what does not hold. States that differ in names alone have one number, so the way is walked anew. */
export const pathTo = (core: Core, table: StateTable, { place, action }: Found): readonly Taken[] => {
  const [start, ...rest] = statesTo(table, place);
  let machine = core.initial.find((candidate) => core.encode(candidate) === start);
  if (!machine) throw new ModelBug(`${core.name}: the way begins nowhere`);
  const path: Taken[] = [];
  for (const state of rest) {
    const before = cleared(machine);
    const taken = core.actions.find((candidate) => comesTo(core, candidate, before).state === state);
    if (!taken) throw new ModelBug(`${core.name}: no way leads to state ${state}`);
    path.push({ action: taken, before });
    machine = taken.apply(before)!;
  }
  if (action === null) return path;
  const before = cleared(machine);
  const last = [core.actions[action]!, ...core.actions].find((candidate) => comesTo(core, candidate, before).what !== null);
  if (!last) throw new ModelBug(`${core.name}: what did not hold holds now`);
  return [...path, { action: last, before }];
};

/** The way as a program that any engine runs; null when something on it is no step of programs. */
export const programOf = (core: Core, path: readonly Taken[]): Program | null => {
  const made: Made = new Map();
  const steps: Step[] = [];
  for (const { action, before } of path) {
    const step = action.asStep?.(before, steps.length + 1, made) ?? null;
    if (step === null) return null;
    steps.push(step);
  }
  return { steps, vcpus: core.vcpus };
};
