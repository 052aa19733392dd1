/** Worker threads that work off the levels of a search side by side. */
import { Worker } from 'node:worker_threads';
import { ModelBug } from '#spec/failure.ts';
import type { Expanded } from './expand.ts';
import type { TableMemory } from './table.ts';
import type { SearchWorkerAnswer, SearchWorkerData } from './worker.ts';

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

const answerOf = <T>(worker: Worker): Promise<T> =>
  new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      then();
    };
    const onMessage = (message: T): void => settle(() => resolve(message));
    const onError = (error: unknown): void => settle(() => reject(error));
    worker.on('message', onMessage);
    worker.on('error', onError);
  });

export type Crew = {
  /** States up to place `end` of the queue, from where the table's cursor stands. */
  readonly expandLevel: (end: number, into: Expanded) => Promise<void>;
  readonly dismiss: () => Promise<void>;
};

/** `mutant`: planted in each thread. */
export const startCrew = async (workers: number, config: string, memory: TableMemory, mutant: string | null): Promise<Crew> => {
  const workerData: SearchWorkerData = { config, memory, mutant };
  const crew = Array.from({ length: workers }, () => new Worker(WORKER, { workerData }));
  await Promise.all(crew.map((worker) => answerOf<string>(worker)));
  return {
    expandLevel: async (end, into) => {
      const answers = crew.map((worker) => answerOf<SearchWorkerAnswer>(worker));
      for (const worker of crew) worker.postMessage(end);
      for (const answer of await Promise.all(answers)) {
        if ('bug' in answer) throw new ModelBug(answer.bug);
        add(answer.expanded, into);
      }
    },
    dismiss: async () => {
      await Promise.all(crew.map((worker) => worker.terminate()));
    },
  };
};

const add = (part: Expanded, into: Expanded): void => {
  into.transitions += part.transitions;
  into.cut += part.cut;
  for (const name of part.sometimes) into.sometimes.add(name);
  for (const clause of part.clauses) into.clauses.add(clause);
  into.violation ??= part.violation;
};
