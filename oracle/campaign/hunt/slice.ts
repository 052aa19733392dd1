/**
 * A slice of the hunt that takes seconds: advisories that were found soon whenever they were measured, in an order that a seed decides, planted and looked for one
 * after the other. It shows that the campaign sees, and is no verdict: in so short a time chance decides too.
 */
import { mutantOfAdvisory } from '../../mutants/advisories/index.ts';
import { hunt } from './hunt.ts';
import type { Run } from './measured.ts';

export type Hunted = {
  /** Advisories whose defect was found. */
  readonly found: readonly string[];
  /** Those that were looked for as long as each may take, in vain. */
  readonly missed: readonly string[];
};

/** Seconds of the processor's time that count as soon. */
const SOON = 5;

/** Advisories that every run beside the model found, as often as it hunted them, and soon: the slice looks for them in that way. */
export const foundSoon = (runs: readonly Run[]): readonly string[] => {
  const rows = runs.filter(({ methods }) => methods.includes('comparison')).flatMap(({ mutants }) => mutants);
  return [...new Set(rows.map(({ id }) => id))].filter((id) =>
    rows.every((row) => row.id !== id || (row.seconds !== null && row.seconds <= SOON)),
  );
};

/** Each of them once, in an order that the seed decides. */
export function* drawn(ids: readonly string[], seed: number): Generator<string> {
  const left = [...ids];
  let state = seed >>> 0;
  while (left.length > 0) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield left.splice(Math.floor((state / 2 ** 32) * left.length), 1)[0]!;
  }
}

export type SliceOptions = {
  readonly first: number;
  /** Ends after so many milliseconds, whatever was begun by then. */
  readonly budgetMs: number;
  /** Processor time for each. */
  readonly eachMs: number;
  readonly onHunt?: () => void;
};

export const huntSlice = async (ids: readonly string[], { first, budgetMs, eachMs, onHunt }: SliceOptions): Promise<Hunted> => {
  const signal = AbortSignal.timeout(budgetMs);
  const [found, missed]: [string[], string[]] = [[], []];
  for (const id of drawn(ids, first)) {
    if (signal.aborted) break;
    const how = { methods: ['comparison'], first, budgetMs: eachMs, shrink: false, signal } as const;
    const { comparison } = await hunt(mutantOfAdvisory(id)!, how);
    if (comparison) found.push(id);
    // Null: its time was up; absent: everybody's.
    else if (comparison === null) missed.push(id);
    onHunt?.();
  }
  return { found, missed };
};
