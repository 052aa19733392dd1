/** How many machines a second boot, and how many generated programs the judge runs on both from seed to verdict. */

import { boot as bootModel } from '#model/engine.ts';
import { boot as bootExecutor } from '#oracle/executor/engine.ts';
import type { Boot } from '#spec/engine.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { caseOfSeed } from '../campaign/case.ts';
import { judge } from '../campaign/judge.ts';
import { EXAMPLES } from '../image/examples.ts';
import { buildImages } from '../image/index.ts';
import type { Bench } from './bench.ts';

/** Machines or programs of a round. */
const COUNT = 20;

const boots = (name: string, boot: Boot): Bench => ({
  name: `${name}: boots`,
  unit: 'boots',
  goal: null,
  round: (effort) => {
    const config = debian_4_17();
    const images = buildImages(EXAMPLES.hello);
    const count = Math.ceil(COUNT * effort);
    return () => {
      for (let i = 0; i < count; i++) boot(config, images).dispose?.();
      return count;
    };
  },
});

/** Generated, compiled, booted twice, run in lockstep. Every round takes the same seeds. */
const programs: Bench = {
  name: 'campaign: programs',
  unit: 'programs',
  goal: 20,
  round: (effort) => () => {
    const count = Math.ceil(COUNT * effort);
    for (let seed = 1; seed <= count; seed++) {
      const { agree } = judge({ reference: bootModel, subject: bootExecutor }, caseOfSeed(seed));
      if (!agree) throw new Error(`the engines part on seed ${seed}: see \`xenspec check --seeds ${seed}\``);
    }
    return count;
  },
};

export const machineBenches: readonly Bench[] = [boots('model', bootModel), boots('executor', bootExecutor), programs];
