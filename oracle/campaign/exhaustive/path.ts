/** The way to a state: what happened, from the beginning on. */
import type { Machine } from '#model/machine.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Program, Step } from '#spec/program.ts';
import type { Action, Core, Made } from './core.ts';
import type { Found } from './expand.ts';
import { lineOf } from './outcome.ts';
import { canonical, packingOf } from './slots.ts';
import type { StateTable } from './table.ts';

/** One thing that happened, and the machine before it. */
export type Taken = { readonly action: Action; readonly before: Machine };

const cleared = (machine: Machine): Machine => ({ ...machine, journal: { events: null, clauses: [], work: null } });

/** The words of a machine's state as text; null when it is beyond the scope. */
const nameOf = (core: Core): ((machine: Machine) => string | null) => {
  const packing = packingOf(core.slots);
  return (machine) => {
    const values = new Int32Array(core.slots.length);
    return core.encode(machine, values) ? canonical(packing, core.symmetries, values).join() : null;
  };
};

/** What an action comes to: the name of the state, or what it breaks. */
const comesTo = (core: Core, action: Action, before: Machine): { state: string | null; what: string | null } => {
  try {
    const after = action.apply(before);
    if (after === null) return { state: null, what: null };
    const values = new Int32Array(core.slots.length);
    if (!core.encode(after, values)) return { state: null, what: null };
    return { state: nameOf(core)(after), what: action.oversteps?.(before, after) ?? core.broken(values) };
  } catch (error) {
    return { state: null, what: lineOf(error) };
  }
};

/** Names of the states from the beginning to a place of the queue. */
const statesTo = (table: StateTable, place: number): string[] => {
  const states: string[] = [];
  for (let at = place; at >= 0; at = table.parents[at]!)
    states.unshift(table.states.subarray(at * table.words, (at + 1) * table.words).join());
  return states;
};

/** The machine as its state tells it, without what states leave out. */
const asDecoded = (core: Core, machine: Machine): Machine => {
  const values = new Int32Array(core.slots.length);
  core.encode(machine, values);
  return core.decode(values);
};

/** The shortest way to what does not hold. States that differ in names alone are one, so the way is walked anew. */
export const pathTo = (core: Core, table: StateTable, { place, action }: Found): readonly Taken[] => {
  const [start, ...rest] = statesTo(table, place);
  const name = nameOf(core);
  let machine = core.initial.find((candidate) => name(candidate) === start);
  if (!machine) throw new ModelBug(`${core.name}: the way begins nowhere`);
  const path: Taken[] = [];
  for (const state of rest) {
    const before = cleared(machine);
    const taken = core.actions.find((candidate) => comesTo(core, candidate, before).state === state);
    if (!taken) throw new ModelBug(`${core.name}: no way leads to state ${state}`);
    path.push({ action: taken, before });
    machine = asDecoded(core, taken.apply(before)!);
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
  const steps: Step[] = [...(core.prelude ?? [])];
  for (const { action, before } of path) {
    const step = action.asStep?.(before, steps.length + 1, made) ?? null;
    if (step === null) return null;
    steps.push(...[step].flat());
  }
  return { steps, vcpus: core.vcpus };
};
