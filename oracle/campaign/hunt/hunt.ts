/** The hunt for one mutant, in a thread of its own that is ended when it takes too long. */
import { Worker } from 'node:worker_threads';
import type { InvariantId } from '#spec/properties/index.ts';
import type { Mutant } from '../../mutants/catalogue.ts';
import type { Found, Message, Method, WorkerData } from './worker.ts';

export type { Method } from './worker.ts';
export const METHODS: readonly Method[] = ['comparison', 'invariants', 'two worlds'];

export type HuntOptions = {
  readonly methods: readonly Method[];
  /** First seed of each kind of program. */
  readonly first: number;
  /** Milliseconds of the processor's time for the search with each method. */
  readonly budgetMs: number;
  /** Make counterexamples small (the default). */
  readonly shrink?: boolean;
  /** Ends the hunt with what was found by then. */
  readonly signal?: AbortSignal;
};

/** How a method found it; `steps` is null when making it smaller took too long, and when the machine hung. */
export type Kill = Omit<Found, 'method'> & { readonly steps: number | null };
export type Hunt = { readonly [method in Method]?: Kill | null };

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
/** A program takes a second; one that takes so long, on a busy machine too, will never end. */
const NO_END_MS = 180_000;
/** As the invariant of that name says it. */
const NO_END = `${'total/machine' satisfies InvariantId}: no end`;

/** Throws what the worker throws outside of the machines, which is a bug of ours. */
export const hunt = (mutant: Mutant | null, options: HuntOptions): Promise<Hunt> =>
  new Promise((resolve, reject) => {
    const { methods, first, budgetMs, shrink = true, signal } = options;
    const left = new Set(methods);
    const found: { [method in Method]?: Kill | null } = {};
    let timer: NodeJS.Timeout | undefined;
    const run = (): void => {
      const worker = new Worker(WORKER, {
        workerData: { mutant, methods: [...left], first, budgetMs, shrink } satisfies WorkerData,
      });
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        void worker.terminate().then(() => (left.size === 0 ? resolve(found) : run()));
      };
      const stop = (): void => {
        left.clear();
        end();
      };
      signal?.addEventListener('abort', stop);
      const watch = (method: Method): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          // Nothing found and no end: a guest has Xen work for ever.
          found[method] ??= { kind: 'mixed', seed: first, programs: 0, seconds: budgetMs / 1000, what: NO_END, steps: null };
          left.delete(method);
          end();
        }, NO_END_MS);
      };
      worker.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      worker.on('message', (message: Message) => {
        switch (message.tell) {
          case 'begin':
            return watch(message.method);
          case 'alive':
            timer?.refresh();
            return;
          case 'found': {
            const { method, ...kill } = message.found;
            found[method] = { ...kill, steps: null };
            return watch(method);
          }
          case 'shrunk':
            found[message.method] = { ...found[message.method]!, steps: message.steps };
            left.delete(message.method);
            return;
          case 'none':
            found[message.method] = null;
            left.delete(message.method);
            return;
          case 'end':
            return end();
        }
      });
    };
    run();
  });
