/** Tasks spread over worker threads. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

const MOST_WORKERS = 8;
/** Workers are TypeScript in a checkout and JavaScript in the package. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** What a worker says when it has started; everything else that it says is an answer to a task. */
export const READY = 'ready';

/**
 * Gives each task to the worker that is free next, until there are none left. `name` is a file beside this one, which answers each
 * message that it gets with one.
 */
export const inWorkers = <Task, Answer>(name: string, tasks: Iterator<Task>, done: (answer: Answer) => void): Promise<unknown> => {
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(`./${name}.${EXTENSION}`, import.meta.url));
      worker.on('error', reject);
      worker.on('message', (message: typeof READY | Answer) => {
        if (message !== READY) done(message as Answer);
        const next = tasks.next();
        if (next.done) void worker.terminate().then(() => resolve());
        else worker.postMessage(next.value);
      });
    });
  return Promise.all(Array.from({ length: Math.min(MOST_WORKERS, availableParallelism()) }, work));
};
