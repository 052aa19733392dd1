/** Breadth first through every state, on this thread. */
import { ModelBug } from '#spec/failure.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Core } from './core.ts';
import { type Expanded, expand, type Found, nothingExpanded } from './expand.ts';
import { Outcomes } from './outcome.ts';
import { canonical, packingOf } from './slots.ts';
import { StateTable, type TableMemory, tableMemory } from './table.ts';

export type Searched = Expanded & {
  states: number;
  /** States by their distance from the beginning. */
  levels: number[];
  /** Every state was looked at: nothing was left when the search ended. */
  complete: boolean;
  table: StateTable;
};

export type SearchOptions = {
  /** Look at no more states than these. */
  readonly states: number;
  /** Called after each level that is worked off and brought new states. */
  readonly onLevel?: (searched: Searched) => void;
  /** Where the search goes on. */
  readonly from?: Checkpoint | null;
  /** An empty table, or that of `from`; a new one when absent. */
  readonly table?: StateTable;
  /** By whom a level is worked off; this thread when absent. */
  readonly expandLevel?: (end: number, into: Expanded) => Promise<void>;
};

export const newTable = (core: Core, most: number): { memory: TableMemory; table: StateTable } => {
  const memory = tableMemory(most, packingOf(core.slots).words);
  return { memory, table: new StateTable(memory) };
};

/** Put the states in which a core begins into an empty table. */
export const begin = (core: Core, table: StateTable): Found | null => {
  for (const machine of core.initial) {
    const values = new Int32Array(core.slots.length);
    if (!core.encode(machine, values)) throw new ModelBug(`${core.name} begins beyond its scope`);
    const isNew = table.add(canonical(packingOf(core.slots), core.symmetries, values), 0, -1);
    const what = isNew ? core.broken(values) : null;
    if (what !== null) return { place: table.found - 1, action: null, what };
  }
  return null;
};

const expanding = (core: Core, table: StateTable): NonNullable<SearchOptions['expandLevel']> => {
  const outcomes = new Outcomes(core);
  return async (end, into): Promise<void> => expand(outcomes, table, end, into);
};

export const search = async (core: Core, options: SearchOptions): Promise<Searched> => {
  const table = options.table ?? newTable(core, options.states).table;
  const violation = options.from ? null : begin(core, table);
  const searched: Searched = {
    ...(options.from?.expanded ?? nothingExpanded()),
    violation,
    states: 0,
    levels: [...(options.from?.levels ?? [])],
    complete: false,
    table,
  };
  if (searched.levels.length === 0) searched.levels.push(table.found);
  let last = searched.levels.reduce((sum, n) => sum + n, 0);
  let first = last - searched.levels.at(-1)!;
  const expandLevel = options.expandLevel ?? expanding(core, table);
  while (searched.violation === null && first < last && !table.isFull) {
    table.startAt(first);
    await expandLevel(last, searched);
    [first, last] = [last, table.found];
    if (last === first) break;
    searched.levels.push(last - first);
    searched.states = last;
    // Nobody can go on from a level that is not worked off.
    if (searched.violation === null && !table.isFull) options.onLevel?.(searched);
  }
  searched.states = table.found;
  searched.complete = searched.violation === null && !table.isFull;
  return searched;
};
