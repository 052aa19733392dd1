/** `xenspec check --domains`: crowds of domains that work at the same time, on model and executor. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { XenRelease } from '#spec/releases/release.ts';
import { type CrowdCounterexample, checkCrowds, policyOf, subjectOf } from '../../campaign/crowd/check.ts';
import { ENGINES, loadEngine } from '../../campaign/engines.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { count, Progress, table } from '../table.ts';

export type CrowdCommandOptions = {
  domains?: readonly number[];
  xen?: XenRelease;
  hypercalls?: number;
  programs?: number;
  seeds?: { readonly first: number; readonly last: number };
  budget?: number;
  out: string;
  json?: true;
};

const [LEAST, MOST] = [2, 4];

/** `3`, or `2..4`. */
const numbers = (text: string): readonly number[] => {
  const found = /^([2-4])(?:\.\.([2-4]))?$/.exec(text);
  const [first, last] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  if (!found || first > last) throw new InvalidArgumentError(`a number of domains from ${LEAST} to ${MOST}, or two such as 2..4.`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
};

export const addCrowdOptions = (command: Command): void => {
  command.option(
    '--domains <n>',
    'crowds of so many domains (2..4) that run at the same time and name each other; with --programs, --hypercalls or --seeds',
    numbers,
  );
};

const keep = (out: string, { crowd, divergence, config }: CrowdCounterexample): string =>
  onFile(out, () => {
    const folder = join(out, `crowd-${crowd.seed}`);
    mkdirSync(folder, { recursive: true });
    for (const [i, image] of subjectOf(crowd).images.entries()) writeFileSync(join(folder, `d${i}.elf`), image);
    const put = (name: string, value: unknown): void => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
    put('machine.json', config);
    put('policy.json', policyOf(crowd));
    put('programs.json', crowd.programs);
    put('divergence.json', divergence);
    return folder;
  });

/** Crowds when nobody says how many, or how long. */
const SOME = 40;

const rows = (counts: ReadonlyMap<string | number, number>): readonly (readonly [string, string])[] =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, n]) => [String(name), count(n)]);

export const checkCrowdsCommand = async (first: number, options: CrowdCommandOptions): Promise<number> => {
  const { domains = [LEAST], xen, hypercalls, seeds, budget, out, json } = options;
  const [reference, subject] = await Promise.all(ENGINES.map(loadEngine));
  const without = hypercalls === undefined && budget === undefined ? SOME : Number.MAX_SAFE_INTEGER;
  const programs = seeds ? seeds.last - seeds.first + 1 : (options.programs ?? without);
  const progress = new Progress(
    hypercalls === undefined ? 'crowds of domains' : 'hypercalls of crowds',
    hypercalls ?? (programs < Number.MAX_SAFE_INTEGER ? programs : SOME),
  );
  let told = 0;
  const started = performance.now();
  const result = checkCrowds(
    { reference: reference!, subject: subject! },
    {
      ...{ first, programs, domains },
      ...(xen === undefined ? {} : { release: xen }),
      ...(hypercalls === undefined ? {} : { hypercalls }),
      ...(budget === undefined ? {} : { budgetMs: budget * 1000 }),
      onCrowd: (calls) => {
        progress.step(hypercalls === undefined ? 1 : calls - told);
        told = calls;
      },
    },
  );
  progress.done();
  const seconds = (performance.now() - started) / 1000;
  const { counterexample, clauses, byDomains, ends, stops, ...counts } = result;
  const folder = counterexample === null ? null : keep(out, counterexample);
  const verdict = counterexample === null ? 'agreed' : 'diverged';
  if (json) {
    const maps = { byDomains: Object.fromEntries(byDomains), ends: Object.fromEntries(ends), stops: Object.fromEntries(stops) };
    process.stdout.write(
      `${JSON.stringify({ verdict, first, seconds, ...counts, ...maps, clauses: [...clauses], counterexample, folder }, null, 2)}\n`,
    );
  } else {
    if (counterexample !== null) {
      const { path, expected, seen } = counterexample.divergence.difference;
      process.stdout.write(`seed ${counterexample.crowd.seed}, ${counterexample.crowd.programs.length} domains\n`);
      process.stdout.write(`  at ${path}: model ${String(expected)}, executor ${String(seen)}\n  folder: ${folder}\n`);
    }
    if (stops.size > 0) process.stdout.write(`${table(['not modelled', 'crowds stopped'], rows(stops))}\n`);
    const calls = counts.hypercalls + counts.elements;
    const summary = [
      ['crowds', `${count(counts.crowds)} (seeds ${first}..${first + counts.crowds - 1})`],
      ...rows(byDomains).map(([n, crowds]) => [`of ${n} domains`, crowds]),
      ...rows(ends).map(([how, n]) => [`domains that ended before domain 0: ${how}`, n]),
      ['hypercalls, elements of batches among them', count(calls)],
      ['instructions', count(counts.retired)],
      ['clauses cited', count(clauses.size)],
      ['throughput', `${count(Math.round(calls / seconds))} hypercalls/s, both machines together`],
    ];
    process.stdout.write(`${table(['what', 'result'], summary)}\nverdict: ${verdict}\n`);
  }
  return counterexample === null ? EXIT.ok : EXIT.divergence;
};
