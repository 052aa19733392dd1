/** Plants a mutant, and says of each scenario which invariant the executor breaks first. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Report } from '#spec/engine.ts';

export type Data = {
  readonly mutant: import('../../mutants/catalogue.ts').Mutant | null;
  /** Where SCENARIOS is. */
  readonly scenarios: string;
};
/** By scenario: the invariant and what it says; null when all hold. */
export type Told = Readonly<Record<string, string | null>>;

const { mutant, scenarios } = workerData as Data;
if (mutant !== null) (await import('../../mutants/plant.ts')).plantMutant(mutant);
// After planting: nothing that a mutant may touch is imported before.
const { loadEngine } = await import('../engines.ts');
const { Watch } = await import('../../compare/watch.ts');
const { runEngine } = await import('../run.ts');
const { SCENARIOS } = (await import(scenarios)) as typeof import('./scenarios.ts');
const { LIMIT } = await import('./scenarios.ts');

const boot = await loadEngine('executor');
const told: Record<string, string | null> = {};
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  const {
    subject: { config, images },
    policy,
  } = scenario();
  const engine = boot(config, images);
  const watch = new Watch(config, engine);
  let first: string | null = null;
  const look = (_: number, report: Report): void => {
    const broken = first === null ? watch.first(report) : null;
    if (broken) first = `${broken.invariant}: ${broken.what}`;
  };
  const { finish } = runEngine(engine, { policy, limit: LIMIT, onInput: look });
  told[name] = first ?? (finish === 'halted' ? null : `it ended by ${finish}`);
}
parentPort!.postMessage(told satisfies Told);
