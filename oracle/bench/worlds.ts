/** How many pairs of worlds a machine is looked at in a second: both runs, both looks after every transition, and what changed (oracle/campaign/worlds/). */
import { boot as bootModel } from '#model/engine.ts';
import { boot as bootExecutor } from '#oracle/executor/engine.ts';
import type { Boot } from '#spec/engine.ts';
import { checkWorlds } from '../campaign/worlds/check.ts';
import type { Bench } from './bench.ts';

const FIRST = 1;

/** Throws when a pair leaks: then there is no speed to speak of. */
const round = (boot: Boot, runs: number) => () => {
  const { runs: done, leak } = checkWorlds(boot, { first: FIRST, runs });
  if (leak !== null) throw new Error(`two worlds, seed ${leak.seed}: ${leak.what}`);
  return done;
};

/** 100,000 pairs within a quarter of an hour. */
const GOAL = 111;

const on = (name: string, boot: Boot, goal: number | null, pairs: number): Bench => ({
  name: `${name}: two worlds`,
  unit: 'pairs',
  goal,
  later: true,
  about: () => 'two worlds: 100,000 pairs, and whether any leaks, by xenspec check --worlds 1e5',
  round: (effort) => round(boot, Math.max(1, Math.round(pairs * effort))),
});

export const worldsBenches: readonly Bench[] = [on('model', bootModel, null, 10), on('executor', bootExecutor, GOAL, 400)];
