/** A worker thread for pairs of worlds: judges the runs of seeds that it is sent. */
import { parentPort, workerData } from 'node:worker_threads';

export type WorldsWorkerData = {
  readonly engine: import('../engines.ts').EngineName;
  readonly mutant: string | null;
  readonly shrink: boolean;
};
export type Seeds = { readonly first: number; readonly runs: number };
export type WorldsAnswer = import('./check.ts').WorldsResult | { readonly bug: string };

const { engine, mutant, shrink } = workerData as WorldsWorkerData;
if (mutant !== null) (await import('../../mutants/plant.ts')).plant(mutant);
// After planting: nothing that a mutant may touch is imported before.
const boot = await (await import('../engines.ts')).loadEngine(engine);
const { checkWorlds } = await import('./check.ts');

parentPort!.on('message', (seeds: Seeds) => {
  let answer: WorldsAnswer;
  try {
    answer = checkWorlds(boot, { ...seeds, shrink });
  } catch (error) {
    answer = { bug: String((error as Error).stack ?? error) };
  }
  parentPort!.postMessage(answer);
});
parentPort!.postMessage('ready');
