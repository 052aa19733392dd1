/** Many seeds, judged by worker threads side by side. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import type { Work } from './case.ts';
import { Coverage } from './coverage.ts';
import type { Counterexample } from './judge.ts';
import type { WorkerAnswer, WorkerData } from './worker.ts';

export type CampaignOptions = {
  readonly seeds: Iterable<number>;
  readonly mutant?: string;
  /** Stop after the first divergence. */
  readonly stopAtFirst: boolean;
  /** Give no more seeds out after so many milliseconds; null for no end. */
  readonly budgetMs: number | null;
  /** Called after each program, with the hypercalls that it made, those inside batches included. */
  readonly onProgram?: (hypercalls: number) => void;
  /** Of Xen, the reference when not given. */
  readonly release?: XenRelease;
  /** What programs the seeds stand for; mixed when not given. */
  readonly work?: Work;
  /** Give no more seeds out after so many hypercalls. */
  readonly hypercalls?: number;
  /** Make counterexamples small (the default). */
  readonly shrink?: boolean;
  /** Look at the invariants in every program; in a share of them when not given (`judge`). */
  readonly watch?: boolean;
};

export type CampaignResult = {
  programs: number;
  instructions: number;
  hypercalls: number;
  /** Elements of batches. */
  elements: number;
  observations: number;
  /** Transitions after which the invariants were looked at, and programs in which they were. */
  looks: number;
  watched: number;
  /** Programs that stopped at something not modelled, by name, the same on both. */
  notModelled: Record<string, number>;
  finishes: Record<string, number>;
  clauses: Set<string>;
  coverage: Coverage;
  counterexamples: Counterexample[];
  /** Seeds on which the judge itself failed, with the stack. */
  bugs: { seed: number; stack: string }[];
  seconds: number;
};

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

export const runCampaign = async (options: CampaignOptions): Promise<CampaignResult> => {
  const result: CampaignResult = {
    programs: 0,
    instructions: 0,
    hypercalls: 0,
    elements: 0,
    observations: 0,
    looks: 0,
    watched: 0,
    notModelled: {},
    finishes: {},
    clauses: new Set(),
    coverage: new Coverage(),
    counterexamples: [],
    bugs: [],
    seconds: 0,
  };
  const started = performance.now();
  const seeds = options.seeds[Symbol.iterator]();
  let stop = false;
  const nextSeed = (): number | null => {
    const enough = options.hypercalls !== undefined && result.hypercalls + result.elements >= options.hypercalls;
    if (stop || enough || (options.budgetMs !== null && performance.now() - started > options.budgetMs)) return null;
    const next = seeds.next();
    return next.done ? null : next.value;
  };
  const take = (answer: WorkerAnswer): void => {
    result.programs++;
    options.onProgram?.(
      'judged' in answer && answer.judged.agree ? answer.judged.agreement.hypercalls + answer.judged.agreement.elements : 0,
    );
    if ('bug' in answer) {
      result.bugs.push({ seed: answer.seed, stack: answer.bug });
      stop ||= options.stopAtFirst;
      return;
    }
    const { judged } = answer;
    if (!judged.agree) {
      result.counterexamples.push(judged.counterexample);
      stop ||= options.stopAtFirst;
      return;
    }
    const { agreement } = judged;
    result.instructions += agreement.retired;
    result.hypercalls += agreement.hypercalls;
    result.elements += agreement.elements;
    result.observations += agreement.observations;
    result.looks += agreement.looks;
    if (agreement.looks > 0) result.watched++;
    result.finishes[agreement.finish] = (result.finishes[agreement.finish] ?? 0) + 1;
    if (agreement.what !== null) result.notModelled[agreement.what] = (result.notModelled[agreement.what] ?? 0) + 1;
    for (const clause of agreement.clauses) result.clauses.add(clause);
    result.coverage.merge(judged.operations);
  };
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(WORKER, {
        workerData: {
          mutant: options.mutant ?? null,
          shrink: options.shrink ?? true,
          watch: options.watch ?? false,
          work: options.work ?? 'mixed',
          release: options.release ?? REFERENCE_RELEASE,
        } satisfies WorkerData,
      });
      const feed = (): void => {
        const seed = nextSeed();
        if (seed === null) void worker.terminate().then(() => resolve());
        else worker.postMessage(seed);
      };
      worker.on('error', reject);
      worker.on('message', (message: WorkerAnswer | 'ready') => {
        if (message !== 'ready') take(message);
        feed();
      });
    });
  await Promise.all(Array.from({ length: Math.max(1, Math.min(4, availableParallelism())) }, serve));
  result.seconds = (performance.now() - started) / 1000;
  return result;
};
