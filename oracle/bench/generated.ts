/**
 * How many hypercalls a second a machine carries out of those that campaigns generate: every theme of dense programs, batches by their elements. What the
 * mix is made of is counted and told below the table. The executor's rounds are long enough, and many enough before the first that counts, for V8 to have
 * compiled what they run: rounds of 20,000 draws come to half the rate.
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

/** Fresh machines with the programs. */
const machines = (boot: Boot, draws: number) =>
  SEEDS.map((seed) => {
    const { config, images } = caseOf(denseProgram(seed, { draws, alone: 'pv64_dom0' }), seed);
    return { seed, engine: boot(config, images) };
  });

/** Runs the programs on fresh machines; counted in hypercalls. Throws when one does not power off. */
export const generatedWork = (boot: Boot, draws: number): Work => {
  const ready = machines(boot, draws);
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

/** Draws of a program when its mix is counted. */
const COUNTED_DRAWS = 10_000;

/** What the programs are made of, in words. */
const aboutMix = (): string => {
  const count = { single: 0, entry: 0, element: 0, failed: 0 };
  let instructions = 0;
  for (const { engine } of machines(bootExecutor, COUNTED_DRAWS)) {
    const { retired } = runEngine(engine, {
      onEvent: (event) => {
        if (event.kind === 'operation') {
          count.element++;
          if (event.result < 0) count.failed++;
        } else if (event.kind === 'hypercall') {
          count[event.depth === 0 ? 'single' : 'entry']++;
          if (event.result !== null && BigInt.asIntN(64, BigInt(event.result)) < 0n) count.failed++;
        }
      },
    });
    instructions += retired;
    engine.dispose?.();
  }
  const { single, entry, element, failed } = count;
  const all = single + entry + element;
  const share = (part: number): string => `${Math.round((100 * part) / all)} %`;
  return (
    `hypercalls, generated: ${share(single)} calls of their own, ${share(entry)} entries of multicalls, ${share(element)} elements of batches; ` +
    `${share(failed)} fail; ${(instructions / all).toFixed(1)} guest instructions each`
  );
};

/** `draws` are enough for rounds of a second or so: campaigns run for minutes, and what is warming up is not their speed. */
const on = (name: string, boot: Boot, goal: number, draws: number, warmUp: number): Bench => ({
  name: `${name}: hypercalls, generated`,
  unit: 'hypercalls',
  goal,
  later: true,
  warmUp,
  about: aboutMix,
  round: (effort) => generatedWork(boot, Math.max(20, Math.round(draws * effort))),
});

export const generatedBenches: readonly Bench[] = [
  on('model', bootModel, 300_000, 20_000, 4),
  on('executor', bootExecutor, 2_000_000, 150_000, 4),
];
