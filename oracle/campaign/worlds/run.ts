/** Many pairs of worlds, judged by worker threads side by side. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ModelBug } from '#spec/failure.ts';
import type { EngineName } from '../engines.ts';
import type { WorldsLeak, WorldsResult } from './check.ts';
import type { Seeds, WorldsAnswer, WorldsWorkerData } from './worker.ts';

export type WorldsRunOptions = {
  readonly engine: EngineName;
  readonly first: number;
  readonly runs: number;
  /** No further pairs are handed out after so long. */
  readonly budgetMs?: number;
  /** A planted bug, by id. */
  readonly mutant?: string;
  readonly shrink?: boolean;
  /** Worker threads; as many as there are processors, four at most, when not given. */
  readonly workers?: number;
  readonly onRuns?: (runs: number) => void;
};
export type WorldsRun = WorldsResult & { readonly seconds: number };

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
/** Pairs that a worker is given at a time. */
const CHUNK = 20;
const MOST_WORKERS = 4;

type Counts = Readonly<Record<string, number>>;
const sum = (a: Counts, b: Counts): Counts => {
  const all = { ...a };
  for (const [name, n] of Object.entries(b)) all[name] = (all[name] ?? 0) + n;
  return all;
};
/** Of two leaks that of the smaller seed. */
const earlier = (a: WorldsLeak | null, b: WorldsLeak | null): WorldsLeak | null => (a === null || (b !== null && b.seed < a.seed) ? b : a);

const added = (a: WorldsResult, b: WorldsResult): WorldsResult => ({
  runs: a.runs + b.runs,
  transitions: a.transitions + b.transitions,
  hypercalls: a.hypercalls + b.hypercalls,
  retired: a.retired + b.retired,
  variations: sum(a.variations, b.variations),
  flows: sum(a.flows as Counts, b.flows as Counts),
  stops: sum(a.stops, b.stops),
  leak: earlier(a.leak, b.leak),
});
const NOTHING: WorldsResult = { runs: 0, transitions: 0, hypercalls: 0, retired: 0, variations: {}, flows: {}, stops: {}, leak: null };

/** Hands out no more pairs once there is a leak. Throws ModelBug when a pair cannot even be drawn. */
export const runWorlds = async (options: WorldsRunOptions): Promise<WorldsRun> => {
  const { engine, first, runs, budgetMs = Number.POSITIVE_INFINITY, mutant = null, shrink = true, workers, onRuns } = options;
  const started = performance.now();
  let result = NOTHING;
  let next = first;
  const nextSeeds = (): Seeds | null => {
    const left = first + runs - next;
    if (left <= 0 || result.leak !== null || performance.now() - started > budgetMs) return null;
    const seeds = { first: next, runs: Math.min(CHUNK, left) };
    next += seeds.runs;
    return seeds;
  };
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(WORKER, { workerData: { engine, mutant, shrink } satisfies WorldsWorkerData });
      worker.on('error', reject);
      worker.on('message', (message: WorldsAnswer | 'ready') => {
        if (message !== 'ready') {
          if ('bug' in message) return reject(new ModelBug(message.bug));
          result = added(result, message);
          onRuns?.(message.runs);
        }
        const seeds = nextSeeds();
        if (seeds === null) void worker.terminate().then(() => resolve());
        else worker.postMessage(seeds);
      });
    });
  const threads = workers ?? Math.max(1, Math.min(MOST_WORKERS, availableParallelism(), Math.ceil(runs / CHUNK)));
  await Promise.all(Array.from({ length: threads }, serve));
  return { ...result, seconds: (performance.now() - started) / 1000 };
};
