/**
 * How many hypercalls a second a machine carries out of those that campaigns generate: every theme of dense programs, batches by their elements. Of 100
 * hypercalls about 38 are entries of multicalls, 17 elements of batches, and 45 calls of their own; the guest spends 5.9 instructions on one, itself
 * included. The executor's rounds are long enough for V8 to have compiled what they run: rounds of 20,000 draws come to half the rate.
 */

import { boot as bootModel } from '#model/engine.ts';
import { boot as bootExecutor } from '#oracle/executor/engine.ts';
import type { Boot } from '#spec/engine.ts';
import { caseOf } from '../campaign/case.ts';
import { runEngine } from '../campaign/run.ts';
import { denseProgram } from '../generators/index.ts';
import type { Bench } from './bench.ts';
import type { Work } from './measure.ts';

/** Programs of domain 0; enough of them to have every theme. */
const SEEDS = [1, 2, 4, 5, 6, 8, 9, 10] as const;

/** Runs the programs on fresh machines; counted in hypercalls. Throws when one does not power off. */
export const generatedWork = (boot: Boot, draws: number): Work => {
  const ready = SEEDS.map((seed) => {
    const { config, images } = caseOf(denseProgram(seed, { draws, alone: 'pv64_dom0' }), seed);
    return { seed, engine: boot(config, images) };
  });
  return () => {
    let hypercalls = 0;
    for (const { seed, engine } of ready) {
      const { finish } = runEngine(engine, {
        onEvent: ({ kind }) => {
          if (kind === 'hypercall' || kind === 'operation') hypercalls++;
        },
      });
      engine.dispose?.();
      if (finish !== 'halted') throw new Error(`the dense program of seed ${seed} on ${engine.name}: ${finish}`);
    }
    return hypercalls;
  };
};

/** `draws` are enough for rounds of a second or so: campaigns run for minutes, and what is warming up is not their speed. */
const on = (name: string, boot: Boot, goal: number, draws: number): Bench => ({
  name: `${name}: hypercalls, generated`,
  unit: 'hypercalls',
  goal,
  later: true,
  round: (effort) => generatedWork(boot, Math.max(20, Math.round(draws * effort))),
});

export const generatedBenches: readonly Bench[] = [
  on('model', bootModel, 300_000, 20_000),
  on('executor', bootExecutor, 2_000_000, 100_000),
];
