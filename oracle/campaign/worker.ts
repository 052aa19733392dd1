/** A campaign's worker thread: judges the seeds it is sent. */
import { parentPort, workerData } from 'node:worker_threads';

export type WorkerData = {
  readonly mutant: string | null;
  readonly shrink: boolean;
  /** Look at the invariants in every program, not in a share of them. */
  readonly watch: boolean;
  readonly work: import('./case.ts').Work;
  readonly release: import('#spec/releases/release.ts').XenRelease;
};
export type WorkerAnswer =
  | { readonly seed: number; readonly judged: import('./judge.ts').Judged }
  | { readonly seed: number; readonly bug: string };

const { mutant, shrink, watch, work, release } = workerData as WorkerData;
if (mutant !== null) (await import('../mutants/plant.ts')).plant(mutant);
// After planting: nothing that a mutant may touch is imported before.
const { loadEngine } = await import('./engines.ts');
const { judge } = await import('./judge.ts');
const { caseOfSeed } = await import('./case.ts');
const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };

parentPort!.on('message', (seed: number) => {
  let answer: WorkerAnswer;
  try {
    answer = { seed, judged: judge(pair, caseOfSeed(seed, work, release), watch ? { shrink, watch } : { shrink }) };
  } catch (error) {
    answer = { seed, bug: String((error as Error).stack ?? error) };
  }
  parentPort!.postMessage(answer);
});
parentPort!.postMessage('ready');
