/** All that can happen in each state of one level of the search. */
import { CHANGE, CUT, NEVER, type Outcomes } from './outcome.ts';
import { isLess, renamed, type Values } from './slots.ts';
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

/** Take states up to place `end` of the queue, and put what comes of them behind. Stops at the first thing that does not hold. */
export const expand = (outcomes: Outcomes, table: StateTable, end: number, into: Expanded): void => {
  const { core, packing } = outcomes;
  const open = Object.entries(core.sometimes).filter(([name]) => !into.sometimes.has(name));
  const values = new Int32Array(core.slots.length);
  const expandOne = expanderOf(outcomes, table);
  for (;;) {
    const first = table.take(CHUNK);
    if (first >= end || table.isFull || into.violation) break;
    for (let place = first; place < Math.min(first + CHUNK, end) && into.violation === null; place++) {
      packing.unpack(table.states, place * packing.words, values);
      for (let i = open.length - 1; i >= 0; i--) {
        if (!open[i]![1](values)) continue;
        into.sometimes.add(open[i]![0]);
        open.splice(i, 1);
      }
      into.violation = expandOne(place, values, into);
    }
  }
  for (const clause of outcomes.cited) into.clauses.add(clause);
};

const expanderOf = (outcomes: Outcomes, table: StateTable): ((place: number, values: Values, into: Expanded) => Found | null) => {
  const { core, packing } = outcomes;
  const { words } = packing;
  const names = core.symmetries.length + 1;
  const actions = core.actions.length;
  /** The state by all its names, and what a transition makes of it. */
  const from = new Int32Array(words * names);
  const to = new Int32Array(words * names);
  const reached = new Int32Array(core.slots.length);
  return (place, values, into) => {
    packing.pack(values, from);
    for (let n = 1; n < names; n++) packing.pack(renamed(values, core.symmetries[n - 1]!), from, n * words);
    for (let a = 0; a < actions; a++) {
      const outcome = outcomes.of(values, a);
      if (outcome.kind === NEVER) continue;
      into.transitions++;
      if (outcome.kind === CUT) into.cut++;
      if (outcome.kind !== CHANGE) continue;
      if (outcome.wrong !== null) return { place, action: a, what: outcome.wrong };
      const { masks, bits } = outcome;
      let least = 0;
      for (let w = 0; w < words; w++) to[w] = (from[w]! & ~masks[w]!) | bits[w]!;
      for (let at = words; at < to.length; at += words) {
        for (let w = at; w < at + words; w++) to[w] = (from[w]! & ~masks[w]!) | bits[w]!;
        if (isLess(to, at, to, least, words)) least = at;
      }
      if (!table.add(to, least, place)) continue;
      packing.unpack(to, least, reached);
      const what = core.broken(reached);
      if (what !== null) return { place, action: a, what };
    }
    return null;
  };
};
