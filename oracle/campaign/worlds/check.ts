/** Pairs of worlds on one engine, counted; the first leak is made smaller and told. */
import type { Boot } from '#spec/engine.ts';
import type { Input } from '#spec/input.ts';
import type { ChangingFlowId } from '#spec/properties/worlds/index.ts';
import { type Condition, drive } from './drive.ts';
import { actsOf, drawPair, type Pair, type Variation } from './pair.ts';
import { shrinkPair } from './shrink.ts';

export type WorldsOptions = {
  readonly first: number;
  /** Pairs of runs, at most. */
  readonly runs: number;
  /** No further pair starts after so long. */
  readonly budgetMs?: number;
  /** Make the counterexample small (the default). */
  readonly shrink?: boolean;
  readonly onRun?: () => void;
};

export type WorldsLeak = {
  readonly seed: number;
  readonly variation: Variation;
  /** The domain that sees what it must not. */
  readonly observer: number;
  readonly condition: Condition;
  /** What it sees: the field, the frame or the event. */
  readonly what: string;
  /** Acts that are left. */
  readonly steps: number;
  /** Of each domain, what it does, in order. */
  readonly acts: readonly (readonly string[])[];
  readonly pair: Pair;
  /** Up to the one that shows it. */
  readonly inputs: readonly Input[];
};

export type WorldsResult = {
  readonly runs: number;
  readonly transitions: number;
  readonly hypercalls: number;
  readonly retired: number;
  readonly variations: Readonly<Record<string, number>>;
  /** Pairs in which something came by an allowed flow, by flow. */
  readonly flows: Readonly<Partial<Record<ChangingFlowId, number>>>;
  /** Pairs that ended before their time, by reason. */
  readonly stops: Readonly<Record<string, number>>;
  readonly leak: WorldsLeak | null;
};

const leakOf = (boot: Boot, pair: Pair, shrink: boolean): WorldsLeak => {
  const small = shrink ? shrinkPair(pair, (less) => drive(boot, less).leak !== null) : pair;
  const { condition, what, inputs } = drive(boot, small).leak!;
  const acts = small.acts.map((both) => both.map(([first, second]) => (first.name === second.name ? first.name : second.name)));
  const observer = pair.domids[0][pair.observer]!;
  return { seed: pair.seed, variation: pair.variation, observer, condition, what, steps: actsOf(small), acts, pair: small, inputs };
};

/** Stops at the first leak. */
export const checkWorlds = (boot: Boot, options: WorldsOptions): WorldsResult => {
  const { first, runs: wanted, budgetMs = Number.POSITIVE_INFINITY, shrink = true, onRun } = options;
  const started = performance.now();
  const counts = { variations: {} as Record<string, number>, flows: {} as Record<string, number>, stops: {} as Record<string, number> };
  const count = (of: keyof typeof counts, name: string): void => {
    counts[of][name] = (counts[of][name] ?? 0) + 1;
  };
  let [runs, transitions, hypercalls, retired] = [0, 0, 0, 0];
  let leak: WorldsLeak | null = null;
  for (let seed = first; seed < first + wanted && leak === null && performance.now() - started < budgetMs; seed++) {
    const pair = drawPair(seed);
    const driven = drive(boot, pair);
    runs++;
    transitions += driven.transitions;
    hypercalls += driven.hypercalls;
    retired += driven.retired;
    count('variations', pair.variation);
    for (const flow of driven.flows) count('flows', flow);
    if (driven.stop !== null) count('stops', driven.stop);
    if (driven.leak !== null) leak = leakOf(boot, pair, shrink);
    onRun?.();
  }
  return { runs, transitions, hypercalls, retired, ...counts, leak };
};
