/** `npm run bench`: how fast model, executor and campaign are, against goals and against a peer. */
import { cpus } from 'node:os';
import { Command, CommanderError } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { oneLine, reportFailure } from '../cli/failure.ts';
import { collect, wholeNumber } from '../cli/option.ts';
import { Progress, rate, table } from '../cli/table.ts';
import { BENCHES } from './benches.ts';
import { type Figure, measure } from './measure.ts';
import { type Measured, peerNames, xenRates } from './xen_rates.ts';

type Options = { readonly only?: readonly string[]; readonly rounds: number; readonly peer: boolean; readonly json?: true };

const EXIT_BAD_INPUT = 2;

const goalText = ({ goal, later, perSecond }: Figure): string => {
  if (goal === null) return '';
  return `≥ ${rate(goal)}${perSecond >= goal ? ', met' : later ? ', later' : ', MISSED'}`;
};

const peerText = (figure: Figure, measured: Measured | string | null): string => {
  if (measured === null || typeof measured === 'string') return '';
  const found = measured.figures.find(({ beside }) => beside === figure.name);
  return found ? `${(figure.perSecond / found.perSecond).toPrecision(2)} × of ${rate(found.perSecond)}` : '';
};

const print = (figures: readonly Figure[], abouts: readonly string[], measured: Measured | string | null): void => {
  const rows = figures.map((figure) => [
    figure.name,
    figure.unit,
    rate(figure.perSecond),
    `${rate(figure.min)} – ${rate(figure.max)}`,
    goalText(figure),
    rate(figure.ratio * 1e6),
    peerText(figure, measured),
  ]);
  process.stdout.write(
    `${table(['what', 'unit', 'per CPU second', 'spread', 'goal', 'per 1 M calibration loops', 'against the peer'], rows)}\n`,
  );
  for (const about of abouts) process.stdout.write(`${about}\n`);
  if (typeof measured === 'string') process.stdout.write(`no peer: ${measured}\n`);
  else if (measured) process.stdout.write(`peer: ${measured.name} ${measured.version}, units per second of wall time\n`);
};

const bench = async ({ only, rounds, peer, json }: Options): Promise<void> => {
  const chosen = BENCHES.filter(({ name }) => only === undefined || only.some((part) => name.includes(part)));
  if (chosen.length === 0)
    throw new BadInput(`--only: nothing is called like that; there are ${BENCHES.map(({ name }) => name).join('; ')}`);
  const beside = peer ? peerNames().filter((name) => chosen.some((b) => b.name === name)) : [];
  const allRounds = chosen.reduce((sum, { warmUp = 1 }) => sum + warmUp + rounds, 0);
  const progress = new Progress('rounds', allRounds + beside.length);
  const figures = chosen.map((b) => measure(b, rounds, () => progress.step()));
  const measured = beside.length > 0 ? await xenRates(beside, () => progress.step()) : null;
  const abouts = [...new Set(chosen.flatMap(({ about }) => (about ? [about()] : [])))];
  progress.done();
  if (json)
    process.stdout.write(
      `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model ?? null, rounds, figures, abouts, peer: measured }, null, 2)}\n`,
    );
  else print(figures, abouts, measured);
};

const program = new Command('bench')
  .description(
    'How fast model, executor and campaign are. Rates are per CPU second of the working thread, the median of some rounds; nothing fails for being slow.',
  )
  .option('--only <part>', 'only what has this in its name; may be repeated', collect)
  .option('--rounds <n>', 'rounds of each', wholeNumber(1, 1000), 3)
  .option('--no-peer', 'leave real Xen under QEMU out')
  .option('--json', 'machine-readable result')
  .addHelpText('after', '\nExamples:\n  npm run bench\n  npm run -s bench -- --only hypercalls --no-peer --json')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`bench: ${oneLine(text.replace(/^error: /, ''))}\n`) })
  .action(bench);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_BAD_INPUT;
  else process.exitCode = reportFailure(error);
}
