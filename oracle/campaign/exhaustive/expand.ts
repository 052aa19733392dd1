/** All that can happen in each state of one level of the search. */
import { CHANGE, CUT, NEVER, type Outcomes } from './outcome.ts';
import { renamed, type Values } from './slots.ts';
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
  /** The state by all its names: of each the first word, then of each the next. And the first of its names by what a transition makes of it. */
  const from = new Int32Array(words * names);
  const to = new Int32Array(words);
  const one = new Int32Array(words);
  const reached = new Int32Array(core.slots.length);
  const name = (n: number, values: Values): void => {
    packing.pack(values, one);
    for (let w = 0; w < words; w++) from[w * names + n] = one[w]!;
  };
  return (place, values, into) => {
    name(0, values);
    for (let n = 1; n < names; n++) name(n, renamed(values, core.symmetries[n - 1]!));
    for (let a = 0; a < actions; a++) {
      const outcome = outcomes.of(values, a);
      if (outcome.kind === NEVER) continue;
      into.transitions++;
      if (outcome.kind === CUT) into.cut++;
      if (outcome.kind !== CHANGE) continue;
      if (outcome.wrong !== null) return { place, action: a, what: outcome.wrong };
      const { masks, bits } = outcome;
      for (let w = 0, at = 0; w < words; w++, at += names) to[w] = (from[at]! & ~masks[at]!) | bits[at]!;
      for (let n = 1; n < names; n++) {
        let isLess = false;
        for (let w = 0, at = n; w < words; w++, at += names) {
          const word = (from[at]! & ~masks[at]!) | bits[at]!;
          // Most names are out of question by their first word.
          if (!isLess && word > to[w]!) break;
          if (word < to[w]!) isLess = true;
          if (isLess) to[w] = word;
        }
      }
      if (!table.add(to, 0, place)) continue;
      packing.unpack(to, 0, reached);
      const what = core.broken(reached);
      if (what !== null) return { place, action: a, what };
    }
    return null;
  };
};
