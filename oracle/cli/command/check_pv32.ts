/** `xenspec check --pv32`: programs of 32-bit guests, as domain 0 and beside one, on model and executor. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { ENGINES, loadEngine } from '../../campaign/engines.ts';
import { checkPv32, type Pv32Counterexample } from '../../campaign/pv32/check.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { largeNumber } from '../option.ts';
import { count, Progress, table } from '../table.ts';

export type Pv32CommandOptions = {
  pv32?: number;
  xen?: XenRelease;
  seeds?: { readonly first: number; readonly last: number };
  budget?: number;
  out: string;
  json?: true;
};

export const addPv32Options = (command: Command): void => {
  command.option('--pv32 <n>', 'so many programs of 32-bit (PAE) guests, every other one a domain beside a 64-bit domain 0', largeNumber);
};

const keep = (out: string, { seed, subject, program, divergence }: Pv32Counterexample): string =>
  onFile(out, () => {
    const folder = join(out, `pv32-${seed}`);
    mkdirSync(folder, { recursive: true });
    const { config, images } = subject;
    for (const [i, image] of images.entries()) writeFileSync(join(folder, `d${i}.elf`), image);
    const steps = program.steps.map(({ family, code }) => ({ family, code: Buffer.from(code).toString('hex') }));
    const put = (name: string, value: unknown): void => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
    put('machine.json', config);
    put('program.json', { ...program, steps });
    put('divergence.json', divergence);
    return folder;
  });

const rows = (counts: ReadonlyMap<string, number>): readonly (readonly [string, string])[] =>
  [...counts].sort(([, a], [, b]) => b - a).map(([name, n]) => [name, count(n)]);

export const checkPv32Command = async (first: number, options: Pv32CommandOptions): Promise<number> => {
  const { pv32 = 1, xen = REFERENCE_RELEASE, seeds, budget, out, json } = options;
  const [reference, subject] = await Promise.all(ENGINES.map(loadEngine));
  const programs = seeds ? seeds.last - seeds.first + 1 : pv32;
  const progress = new Progress('programs of 32-bit guests', programs);
  const result = checkPv32(
    { reference: reference!, subject: subject! },
    {
      first,
      programs,
      release: xen,
      ...(budget === undefined ? {} : { budgetMs: budget * 1000 }),
      onProgram: () => progress.step(),
    },
  );
  progress.done();
  const { counterexample, clauses, finishes, stops, families, ...counts } = result;
  const folder = counterexample === null ? null : keep(out, counterexample);
  const verdict = counterexample === null ? 'agreed' : 'diverged';
  if (json) {
    const maps = { finishes: Object.fromEntries(finishes), stops: Object.fromEntries(stops), families: Object.fromEntries(families) };
    process.stdout.write(
      `${JSON.stringify({ verdict, first, ...counts, ...maps, clauses: [...clauses], counterexample, folder }, null, 2)}\n`,
    );
  } else {
    if (counterexample !== null) {
      const { path, expected, seen } = counterexample.divergence.difference;
      const steps = counterexample.program.steps.map(({ family }) => family).join(', ');
      process.stdout.write(`seed ${counterexample.seed} as ${counterexample.role}, after ${steps}\n`);
      process.stdout.write(`  at ${path}: model ${String(expected)}, executor ${String(seen)}\n  folder: ${folder}\n`);
    }
    if (stops.size > 0) process.stdout.write(`${table(['not modelled', 'programs stopped'], rows(stops))}\n`);
    const last = first + counts.programs - 1;
    const summary = [
      ['programs', `${count(counts.programs)} (seeds ${first}..${last})`],
      ['that ended by a stop', count(finishes.get('not_modelled') ?? 0)],
      ['hypercalls of the others', count(counts.hypercalls)],
      ['instructions of the others', count(counts.retired)],
      ['clauses cited', count(clauses.size)],
    ];
    process.stdout.write(`${table(['what', 'result'], summary)}\nverdict: ${verdict}\n`);
  }
  return counterexample === null ? EXIT.ok : EXIT.divergence;
};
