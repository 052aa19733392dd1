/** `xenspec replay`: recorded traces on an engine. */
import { type Command, Option } from 'commander';
import { imagesOf, readTrace } from '#traces/file.ts';
import type { Trace } from '#traces/format.ts';
import { type ReplayVerdict, replay } from '#traces/replay.ts';
import { ENGINES, type EngineName, loadEngine } from '../../campaign/engines.ts';
import { DEFAULT_POLICY, Environment } from '../../campaign/environment.ts';
import { EXIT } from '../exit_code.ts';
import { Progress, table } from '../table.ts';

type Options = { on: EngineName | 'both'; json?: true };
export type Replayed = { readonly trace: string; readonly producer: string; readonly engine: EngineName; readonly verdict: ReplayVerdict };

/** A replay is given up after so many steps: a recorded program never needs them. */
const LIMIT = 200_000_000;

/** Replay one trace on several engines. */
export const replayFile = async (path: string, engines: readonly EngineName[]): Promise<readonly Replayed[]> => {
  const trace = await readTrace(path);
  return Promise.all(engines.map((engine) => replayOn(path, trace, engine)));
};

const replayOn = async (path: string, trace: Trace, engine: EngineName): Promise<Replayed> => {
  const boot = await loadEngine(engine);
  const { header } = trace;
  const verdict = replay(boot, trace, imagesOf(header), new Environment(header.policy ?? DEFAULT_POLICY, LIMIT));
  return { trace: path, producer: `${header.producer.name} ${header.producer.version}`.trim(), engine, verdict };
};

const describe = (v: ReplayVerdict): string => {
  if (v.verdict === 'accepted') return `${v.compared} compared`;
  if (v.verdict === 'inconclusive') return v.why;
  const r = v.rejection;
  return `${r.place}: expected ${JSON.stringify(r.expected)}, seen ${JSON.stringify(r.seen)}${r.clauses.length > 0 ? ` · ${r.clauses.join(', ')}` : ''}`;
};

const replayCommand = async (paths: readonly string[], options: Options): Promise<number> => {
  const engines = options.on === 'both' ? ENGINES : [options.on];
  const progress = new Progress('replay', paths.length * engines.length);
  const results: Replayed[] = [];
  for (const path of paths) {
    results.push(...(await replayFile(path, engines)));
    progress.step(engines.length);
  }
  progress.done();
  if (options.json) process.stdout.write(`${JSON.stringify({ results }, null, 2)}\n`);
  else
    process.stdout.write(
      `${table(
        ['trace', 'recorded by', 'engine', 'verdict', 'detail'],
        results.map((r) => [r.trace, r.producer, r.engine, r.verdict.verdict, describe(r.verdict)]),
      )}\n`,
    );
  if (results.some((r) => r.verdict.verdict === 'rejected')) return EXIT.divergence;
  return results.some((r) => r.verdict.verdict === 'inconclusive') ? EXIT.inconclusive : EXIT.ok;
};

export const addReplay = (program: Command, done: (code: number) => void): void => {
  program
    .command('replay')
    .description('replay recorded traces: accepted, rejected at the first difference, or inconclusive')
    .argument('<trace...>', 'trace files (.trace.gz or JSON Lines)')
    .addOption(new Option('--on <engine>', 'engine').choices([...ENGINES, 'both']).default('both'))
    .option('--json', 'machine-readable result')
    .addHelpText('after', '\nExample:\n  xenspec replay traces/recorded/*.trace.gz --on model')
    .action(async (paths: string[], options: Options) => done(await replayCommand(paths, options)));
};
