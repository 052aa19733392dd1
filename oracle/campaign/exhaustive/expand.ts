/** All that can happen in each state of one level of the search. */
import type { Machine } from '#model/machine.ts';
import { type Core, CUT } from './core.ts';
import type { StateTable } from './table.ts';

/** What does not hold: in the state at a place of the queue, or in what an action makes of it. */
export type Found = { readonly place: number; readonly action: number | null; readonly what: string };

export type Expanded = {
  transitions: number;
  /** Transitions beyond the scope. */
  cut: number;
  violation: Found | null;
  readonly sometimes: Set<string>;
  readonly clauses: Set<string>;
};

export const nothingExpanded = (): Expanded => ({ transitions: 0, cut: 0, violation: null, sometimes: new Set(), clauses: new Set() });

/** States that one worker takes at a time. */
const CHUNK = 64;

/** The line of an error: a model that throws breaks the rule that it never does. */
export const lineOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

/** Take states up to place `end` of the queue, and put what comes of them behind. Stops at the first thing that does not hold. */
export const expand = (core: Core, table: StateTable, end: number, into: Expanded): void => {
  const open = Object.entries(core.sometimes).filter(([name]) => !into.sometimes.has(name));
  for (;;) {
    const first = table.take(CHUNK);
    if (first >= end || table.isFull) return;
    for (let place = first; place < Math.min(first + CHUNK, end); place++) {
      const machine = core.decode(table.states[place]!);
      for (let i = open.length - 1; i >= 0; i--) {
        if (!open[i]![1](machine)) continue;
        into.sometimes.add(open[i]![0]);
        open.splice(i, 1);
      }
      into.violation = expandOne(core, table, place, machine, into);
      if (into.violation) return;
    }
  }
};

const expandOne = (core: Core, table: StateTable, place: number, machine: Machine, into: Expanded): Found | null => {
  for (let a = 0; a < core.actions.length; a++) {
    const what = follow(core, table, place, machine, a, into);
    if (what !== null) return { place, action: a, what };
  }
  return null;
};

const follow = (core: Core, table: StateTable, place: number, machine: Machine, a: number, into: Expanded): string | null => {
  const { apply, oversteps } = core.actions[a]!;
  try {
    const cited = machine.journal.clauses as string[];
    cited.length = 0;
    const after = apply(machine);
    if (after === null) return null;
    into.transitions++;
    for (const clause of cited) into.clauses.add(clause);
    if (after === machine) return null;
    const state = core.encode(after);
    if (state === CUT) {
      into.cut++;
      return null;
    }
    const wrong = oversteps?.(machine, after) ?? null;
    if (wrong !== null || !table.add(state, place)) return wrong;
    return core.broken(after);
  } catch (error) {
    return lineOf(error);
  }
};
