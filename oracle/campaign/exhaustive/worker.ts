/** A worker thread of the search: works off its share of each level, on a table that all threads share. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Expanded } from './expand.ts';
import type { TableMemory } from './table.ts';

export type SearchWorkerData = { readonly config: string; readonly memory: TableMemory; readonly mutant: string | null };
/** A bug of ours, or what was done of the level. */
export type SearchWorkerAnswer = { readonly expanded: Expanded } | { readonly bug: string };

const { config, memory, mutant } = workerData as SearchWorkerData;
if (mutant !== null) (await import('../../mutants/plant.ts')).plant(mutant);
// After planting: nothing that a mutant may touch is imported before.
const { coreOf } = await import('./configs.ts');
const { expand, nothingExpanded } = await import('./expand.ts');
const { Outcomes } = await import('./outcome.ts');
const { StateTable } = await import('./table.ts');
const outcomes = new Outcomes(coreOf(config));
const table = new StateTable(memory);

parentPort!.on('message', (end: number) => {
  let answer: SearchWorkerAnswer;
  try {
    const expanded = nothingExpanded();
    expand(outcomes, table, end, expanded);
    answer = { expanded };
  } catch (error) {
    answer = { bug: String((error as Error).stack ?? error) };
  }
  parentPort!.postMessage(answer);
});
parentPort!.postMessage('ready');
