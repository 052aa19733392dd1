/** A few seconds of pairs of worlds, on both machines. */
import type { Boot } from '#spec/engine.ts';
import { ENGINES, type EngineName } from '../engines.ts';
import { checkWorlds } from './check.ts';

/** Most pairs, and milliseconds after which no further one starts. The model takes some thirty times as long for one. */
export const SLICE = {
  executor: { runs: 400, budgetMs: 3500 },
  model: { runs: 2, budgetMs: 1000 },
} as const satisfies Record<EngineName, { readonly runs: number; readonly budgetMs: number }>;

export type WorldsSlice = {
  readonly first: number;
  /** Pairs by machine. */
  readonly pairs: Readonly<Record<EngineName, number>>;
  /** Transitions after which both worlds were looked at, each in both. */
  readonly transitions: number;
  /** One line for each undeclared flow. */
  readonly wrong: readonly string[];
};

export const worldsSlice = (engines: Readonly<Record<EngineName, Boot>>, first: number, onPair?: () => void): WorldsSlice => {
  const pairs: Record<EngineName, number> = { model: 0, executor: 0 };
  const wrong: string[] = [];
  let transitions = 0;
  for (const engine of ENGINES) {
    const found = checkWorlds(engines[engine], { first, ...SLICE[engine], ...(onPair && { onRun: onPair }) });
    pairs[engine] = found.runs;
    transitions += found.transitions;
    if (found.leak === null) continue;
    const { seed, condition, observer, what } = found.leak;
    wrong.push(
      `two worlds on the ${engine}, seed ${seed}: d${observer}, ${condition}: ${what} (xenspec check --worlds 1 --seeds ${seed} --on ${engine})`,
    );
  }
  return { first, pairs, transitions, wrong };
};
