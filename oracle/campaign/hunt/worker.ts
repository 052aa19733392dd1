/** A hunt's worker thread: plants the mutant, then looks for it in one way after the other. */
import { parentPort, workerData } from 'node:worker_threads';

export type Method = 'comparison' | 'invariants' | 'two worlds';
export type WorkerData = {
  /** null: the machine as it is, of which nothing ought to be found. */
  readonly mutant: import('../../mutants/catalogue.ts').Mutant | null;
  readonly methods: readonly Method[];
  readonly first: number;
  /** Of each method, in time of the processor. */
  readonly budgetMs: number;
  readonly shrink: boolean;
};
/** Something is wrong; found after so long and so many programs. `seed` and `kind` say by which. */
export type Found = {
  readonly method: Method;
  readonly kind: import('./attempt.ts').Kind | 'pair of worlds';
  readonly seed: number;
  readonly programs: number;
  readonly seconds: number;
  readonly what: string;
};
export type Message =
  | { readonly tell: 'begin'; readonly method: Method }
  /** A program is done. */
  | { readonly tell: 'alive' }
  | { readonly tell: 'found'; readonly found: Found }
  | { readonly tell: 'shrunk'; readonly method: Method; readonly steps: number }
  | { readonly tell: 'none'; readonly method: Method; readonly programs: number }
  | { readonly tell: 'end' };

const { mutant, methods, first, budgetMs, shrink } = workerData as WorkerData;
if (mutant !== null) (await import('../../mutants/plant.ts')).plantMutant(mutant);
// After planting: nothing that a mutant may touch is imported before.
const { loadEngine } = await import('../engines.ts');
const { attempts } = await import('./attempt.ts');
const { preyOf } = await import('./subject.ts');
const { compared, violated } = await import('./methods.ts');
const { checkWorlds } = await import('../worlds/check.ts');
type Prey = import('./subject.ts').Prey;

const subject = await loadEngine('executor');
const pair = { reference: await loadEngine('model'), subject };
/**
 * Milliseconds of processor time that this thread has had: on a busy machine the time of day says little. Where Node does not tell, the time of day.
 */
const clock = (): number => {
  if (typeof process.threadCpuUsage !== 'function') return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const post = (message: Message): void => parentPort!.postMessage(message);

/** So much time of the processor goes into making a counterexample small. */
const SHRINK_MS = 40_000;

const none = (method: Method, programs: number): void => post({ tell: 'none', method, programs });

const byPrograms = (method: 'comparison' | 'invariants'): void => {
  const started = clock();
  const wrong = (prey: Prey): string | null => {
    post({ tell: 'alive' });
    if (method === 'comparison') return compared(pair, prey);
    const what = violated(subject, prey);
    // What the specification itself brings about is no sign of a mutant.
    return what === null || violated(pair.reference, prey) !== null ? null : what;
  };
  let programs = 0;
  for (const attempt of attempts(first)) {
    if (clock() - started >= budgetMs) {
      none(method, programs);
      return;
    }
    const prey = preyOf(attempt);
    const what = wrong(prey);
    programs++;
    if (what === null) continue;
    post({ tell: 'found', found: { method, ...attempt, programs, seconds: (clock() - started) / 1000, what } });
    const end = clock() + SHRINK_MS;
    const small = shrink ? prey.shrink((less) => clock() < end && wrong(less) !== null) : prey;
    post({ tell: 'shrunk', method, steps: small.steps });
    return;
  }
};

const byWorlds = (): void => {
  const method = 'two worlds';
  const started = clock();
  let runs = 0;
  let leak: import('../worlds/check.ts').WorldsLeak | null = null;
  for (; leak === null && clock() - started < budgetMs; runs++) {
    post({ tell: 'alive' });
    leak = checkWorlds(subject, { first: first + runs, runs: 1, shrink: false }).leak;
  }
  if (leak === null) {
    none(method, runs);
    return;
  }
  const what = `${leak.condition}: ${leak.what}`;
  const seconds = (clock() - started) / 1000;
  post({ tell: 'found', found: { method, kind: 'pair of worlds', seed: leak.seed, programs: runs, seconds, what } });
  const small = shrink ? checkWorlds(subject, { first: leak.seed, runs: 1 }).leak : leak;
  post({ tell: 'shrunk', method, steps: (small ?? leak).steps });
};

for (const method of methods) {
  post({ tell: 'begin', method });
  if (method === 'two worlds') byWorlds();
  else byPrograms(method);
}
post({ tell: 'end' });
