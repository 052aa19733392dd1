/** `xenspec check --preempt`: dense programs whose long calls are stopped at each question in turn and at all, on model and executor. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { ENGINES, loadEngine } from '../../campaign/engines.ts';
import { checkPreemption, type Parted, PREEMPTIBLE } from '../../campaign/preemption.ts';
import { denseProgram, forRelease, shrinkProgram } from '../../generators/index.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { wholeNumber } from '../option.ts';
import { count, Progress, rate, table } from '../table.ts';

export type PreemptOptions = {
  preempt?: number;
  xen?: XenRelease;
  seeds?: { readonly first: number; readonly last: number };
  out: string;
  json?: true;
};

export const addPreemptOptions = (command: Command): void => {
  command.option(
    '--preempt <n>',
    'programs whose long calls are stopped: at each question, or at so many of them spread over a program',
    wholeNumber(1),
  );
};

/** Draws of a program: enough to ask hundreds of times. */
const DRAWS = 150;
/** Programs when --seeds does not say. */
const PROGRAMS = 20;
const SHRINKING = 40;

type Found = { readonly seed: number; readonly program: Program; readonly parted: readonly Parted[]; readonly folder: string };

const keep = (out: string, seed: number, program: Program, parted: readonly Parted[]): Found =>
  onFile(out, () => {
    const folder = join(out, `preempt-${seed}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'program.json'), `${JSON.stringify(program, null, 1)}\n`);
    writeFileSync(join(folder, 'parted.json'), `${JSON.stringify(parted, null, 1)}\n`);
    return { seed, program, parted, folder };
  });

export const checkPreempt = async (
  first: number,
  { preempt = 1, xen = REFERENCE_RELEASE, seeds, out, json }: PreemptOptions,
): Promise<number> => {
  const [reference, subject] = await Promise.all(ENGINES.map(loadEngine));
  const pair = { reference: reference!, subject: subject! };
  const programs = seeds ? seeds.last - seeds.first + 1 : PROGRAMS;
  const progress = new Progress('programs, stopped on the way', programs);
  const started = performance.now();
  const found: Found[] = [];
  let [questions, runs] = [0, 0];
  for (let seed = first; seed < first + programs; seed++) {
    const program = forRelease(denseProgram(seed, { ...PREEMPTIBLE, draws: DRAWS }), xen);
    const checked = checkPreemption(pair, program, preempt);
    questions += checked.questions;
    runs += checked.runs;
    if (checked.parted.length > 0) {
      const small = shrinkProgram(program, (less) => checkPreemption(pair, less, preempt).parted.length > 0, SHRINKING);
      found.push(keep(out, seed, small, checkPreemption(pair, small, preempt).parted));
    }
    progress.step();
  }
  progress.done();
  const seconds = (performance.now() - started) / 1000;
  if (json) {
    const summary = { verdict: found.length > 0 ? 'diverged' : 'agreed', seeds: { first, last: first + programs - 1 } };
    process.stdout.write(`${JSON.stringify({ ...summary, programs, questions, runs, found, seconds }, null, 2)}\n`);
  } else {
    for (const { seed, parted, folder } of found) {
      const [{ forced, between, difference }] = parted as readonly [Parted];
      process.stdout.write(
        `seed ${seed}, ${between} part when ${forced === 'all' ? 'all questions are' : `question ${forced} is`} answered yes\n`,
      );
      process.stdout.write(`  at ${difference.path}: ${String(difference.expected)}, ${String(difference.seen)}\n  folder: ${folder}\n`);
    }
    const rows = [
      ['programs', `${count(programs)} (seeds ${first}..${first + programs - 1})`],
      ['questions in their undisturbed runs', count(questions)],
      ['runs that were stopped, at one question or at all', count(runs)],
      ['that ended otherwise, or on which the engines part', count(found.length)],
      ['throughput', `${rate(runs / seconds)} runs/s, both engines together`],
    ];
    process.stdout.write(`${table(['what', 'result'], rows)}\nverdict: ${found.length > 0 ? 'diverged' : 'agreed'}\n`);
  }
  return found.length > 0 ? EXIT.divergence : EXIT.ok;
};
