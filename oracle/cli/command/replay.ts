/** `xenspec replay`: recorded traces on an engine. */
import { type Command, Option } from 'commander';
import { XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { imagesOf, readTrace } from '#traces/file.ts';
import type { Trace } from '#traces/format.ts';
import { type ReplayVerdict, replay } from '#traces/replay.ts';
import { ENGINES, type EngineName, loadEngine } from '../../campaign/engines.ts';
import { DEFAULT_POLICY, Environment } from '../../campaign/environment.ts';
import { EXIT } from '../exit_code.ts';
import { plantMutant } from '../mutant.ts';
import { wholeNumber } from '../option.ts';
import { count, Progress, table } from '../table.ts';

type Options = { on: EngineName | 'both'; xen?: XenRelease; mutant?: string; limit: number; json?: true };
export type Replayed = { readonly trace: string; readonly producer: string; readonly engine: EngineName; readonly verdict: ReplayVerdict };

/** A replay is given up after so many steps: a recorded program needs far fewer. */
const LIMIT = 200_000_000;

/** Replay one trace on several engines. Throws BadInput for a file that is no trace. */
export const replayFile = async (
  path: string,
  engines: readonly EngineName[],
  limit = LIMIT,
  release?: XenRelease,
): Promise<readonly Replayed[]> => {
  const recorded = await readTrace(path);
  const trace = release === undefined ? recorded : asRelease(recorded, release);
  return Promise.all(engines.map((engine) => replayOn(path, trace, engine, limit)));
};

/** The same run, as if another release of Xen had been under it. */
const asRelease = ({ header, records }: Trace, release: XenRelease): Trace => ({
  header: { ...header, machine: { ...header.machine, release } },
  records,
});

const replayOn = async (path: string, trace: Trace, engine: EngineName, limit: number): Promise<Replayed> => {
  const boot = await loadEngine(engine);
  const { header } = trace;
  const end = trace.records.at(-1);
  // A run that its recorder stopped at a limit is the same run only up to there.
  const steps = end?.record === 'end' && end.finish === 'limit' && end.retired !== null ? Math.min(limit, end.retired) : limit;
  const verdict = replay(boot, trace, imagesOf(header), new Environment(header.policy ?? DEFAULT_POLICY, steps));
  return { trace: path, producer: `${header.producer.name} ${header.producer.version}`.trim(), engine, verdict };
};

/** Where a trace was rejected and why, or why it proves nothing; empty for an accepted one. */
export const explanation = ({ trace, engine, verdict }: Replayed): readonly string[] => {
  if (verdict.verdict === 'accepted') return [];
  if (verdict.verdict === 'inconclusive') return [`inconclusive on ${engine}: ${trace}`, `  ${verdict.why}`];
  const { aspect, place, expected, seen, clauses } = verdict.rejection;
  return [
    `rejected on ${engine}: ${trace}`,
    `  ${aspect === 'end' ? 'the end' : place} differs`,
    `  expected: ${expected}`,
    `  seen:     ${seen}`,
    ...(clauses.length > 0 ? [`  clauses:  ${[...new Set(clauses)].join(', ')}`] : []),
  ];
};

const comparedIn = (v: ReplayVerdict): string => (v.verdict === 'accepted' ? count(v.compared) : '');

const replayCommand = async (paths: readonly string[], options: Options): Promise<number> => {
  if (options.mutant !== undefined) await plantMutant(options.mutant);
  const engines = options.on === 'both' ? ENGINES : [options.on];
  const progress = new Progress('replay', paths.length * engines.length);
  const results: Replayed[] = [];
  for (const path of paths) {
    results.push(...(await replayFile(path, engines, options.limit, options.xen)));
    progress.step(engines.length);
  }
  progress.done();
  if (options.json) process.stdout.write(`${JSON.stringify({ results }, null, 2)}\n`);
  else {
    const rows = results.map((r) => [r.trace, r.producer, r.engine, r.verdict.verdict, comparedIn(r.verdict)]);
    process.stdout.write(`${table(['trace', 'recorded by', 'engine', 'verdict', 'compared'], rows)}\n`);
    for (const line of results.flatMap(explanation)) process.stdout.write(`${line}\n`);
  }
  if (results.some((r) => r.verdict.verdict === 'rejected')) return EXIT.divergence;
  return results.some((r) => r.verdict.verdict === 'inconclusive') ? EXIT.inconclusive : EXIT.ok;
};

export const addReplay = (program: Command, done: (code: number) => void): void => {
  program
    .command('replay')
    .description('replay recorded traces: accepted, rejected at the first difference, or inconclusive')
    .argument('<trace...>', 'trace files (.trace.gz or JSON Lines)')
    .addOption(new Option('--on <engine>', 'engine').choices([...ENGINES, 'both']).default('both'))
    .addOption(new Option('--xen <release>', 'as another release of Xen than the one that the trace names').choices([...XEN_RELEASES]))
    .option('--limit <instructions>', 'stop after so many', wholeNumber(1), LIMIT)
    .option('--mutant <id>', 'plant a bug first, as `check --mutant` does')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExit codes: 0 all accepted, 1 some rejected, 6 none rejected but some inconclusive, 2 no trace.' +
        '\n\nExamples:\n  xenspec replay traces/recorded/*.trace.gz --on model\n  xenspec replay counterexamples/seed-7/regression-executor.trace.gz --on executor',
    )
    .action(async (paths: string[], options: Options) => done(await replayCommand(paths, options)));
};
