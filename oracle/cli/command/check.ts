/** `xenspec check`: the campaign. Recorded traces on both engines, then fresh programs in lockstep, then a verdict. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CLAUSES } from '#spec/clauses.ts';
import { runCampaign } from '../../campaign/campaign.ts';
import { describe, stepCount, writeCounterexample } from '../../campaign/counterexample.ts';
import { SLICE } from '../../campaign/coverage.ts';
import { ENGINES, loadEngine } from '../../campaign/engines.ts';
import { checkAgainstPeer, type PeerCheck } from '../../campaign/peer_check.ts';
import { MUTANTS } from '../../mutants/catalogue.ts';
import { plant } from '../../mutants/plant.ts';
import { EXIT } from '../exit_code.ts';
import { seedRange, wholeNumber } from '../option.ts';
import { count, Progress, percent, rate, table } from '../table.ts';
import { version } from '../version.ts';
import { type Replayed, replayFile } from './replay.ts';

type Options = {
  seeds?: { readonly first: number; readonly last: number };
  programs?: number;
  peer?: string;
  mutant?: string;
  budget?: number;
  out: string;
  keepGoing?: true;
  traces: boolean;
  coverage?: true;
  json?: true;
};

/** Fresh programs when nobody says how many, and the seconds after which a slow machine starts no more of them. */
const PROGRAMS = 2000;
const BUDGET_SECONDS = 45;
/** Programs on a peer. */
const PEER_PROGRAMS = 1000;

const RECORDED = new URL('../../../traces/recorded/', import.meta.url);

/** Paths of the recorded traces that come with the project. */
export const recordedTraces = (): readonly string[] => {
  try {
    return readdirSync(RECORDED)
      .filter((f) => f.endsWith('.trace.gz'))
      .sort()
      .map((f) => fileURLToPath(new URL(f, RECORDED)));
  } catch {
    return [];
  }
};

function* seedsOf(first: number, last: number): Generator<number> {
  for (let seed = first; seed <= last; seed++) yield seed;
}

const replayAll = async (paths: readonly string[]): Promise<readonly Replayed[]> => {
  const progress = new Progress('recorded traces', paths.length * ENGINES.length);
  const results: Replayed[] = [];
  for (const path of paths) {
    results.push(...(await replayFile(path, ENGINES)));
    progress.step(ENGINES.length);
  }
  progress.done();
  return results;
};

const checkCommand = async (options: Options): Promise<number> => {
  if (options.mutant !== undefined) plant(options.mutant);
  // Without --seeds the seeds are fresh: taken from the clock, and printed.
  const first = options.seeds?.first ?? Math.floor(Date.now() / 1000) % 0x3fffffff;
  const asked = options.seeds ? options.seeds.last - options.seeds.first + 1 : options.programs;
  if (options.peer !== undefined) {
    const programs = asked ?? PEER_PROGRAMS;
    const progress = new Progress(`programs on ${options.peer}`, programs);
    const check = await checkAgainstPeer({
      peer: options.peer,
      first,
      programs,
      version: version(),
      out: options.out,
      onPrograms: (n) => progress.step(n),
    });
    progress.done();
    return report(check, options);
  }

  const programs = asked ?? PROGRAMS;
  const budget = options.budget ?? (asked === undefined ? BUDGET_SECONDS : null);
  const replayed = options.traces ? await replayAll(recordedTraces()) : [];
  const bad = replayed.filter((r) => r.verdict.verdict === 'rejected');
  const progress = new Progress('programs, model against executor', programs);
  const result = await runCampaign({
    seeds: seedsOf(first, first + programs - 1),
    ...(options.mutant === undefined ? {} : { mutant: options.mutant }),
    stopAtFirst: !options.keepGoing,
    budgetMs: budget === null ? null : budget * 1000,
    onProgram: () => progress.step(),
  });
  progress.done();
  for (const r of replayed) if (r.verdict.verdict === 'accepted') for (const c of r.verdict.clauses) result.clauses.add(c);

  const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };
  const folders = result.counterexamples.map((c) => writeCounterexample(options.out, pair, c, version(), options.mutant ?? null));
  const clauses = Object.keys(CLAUSES);
  const covered = clauses.filter((c) => result.clauses.has(c));
  const operations = result.coverage.toJSON();
  const verdict = result.bugs.length > 0 ? 'bug' : bad.length + result.counterexamples.length > 0 ? 'diverged' : 'agreed';
  const stoppedEarly =
    verdict === 'agreed' && result.programs < programs ? `; ${count(programs)} were wanted, the budget was ${budget} s` : '';
  const traces = new Set(replayed.map((r) => r.trace)).size;
  const fromXen = new Set(replayed.filter((r) => r.producer.startsWith('xen')).map((r) => r.trace)).size;

  if (options.json)
    process.stdout.write(
      `${JSON.stringify(
        {
          verdict,
          seeds: { first, last: first + result.programs - 1 },
          traces: {
            replayed: traces,
            real_xen: fromXen,
            rejected: bad.length,
            inconclusive: replayed.filter((r) => r.verdict.verdict === 'inconclusive').length,
          },
          programs: result.programs,
          instructions: result.instructions,
          hypercalls: result.hypercalls,
          observations: result.observations,
          divergences: result.counterexamples.length,
          not_modelled: result.notModelled,
          finishes: result.finishes,
          clauses: { covered: covered.length, all: clauses.length, missing: clauses.filter((c) => !result.clauses.has(c)) },
          operations,
          counterexamples: result.counterexamples.map((c, i) => ({
            seed: c.seed,
            folder: folders[i],
            divergence: c.divergence.difference,
            aspect: c.divergence.aspect,
            clauses: c.divergence.clauses,
            steps: stepCount(c.program),
          })),
          bugs: result.bugs,
          seconds: result.seconds,
        },
        null,
        2,
      )}\n`,
    );
  else {
    for (const r of bad)
      if (r.verdict.verdict === 'rejected')
        process.stdout.write(
          `rejected on ${r.engine}: ${r.trace}\n  ${r.verdict.rejection.place}: expected ${r.verdict.rejection.expected}\n  seen ${r.verdict.rejection.seen}\n`,
        );
    for (const [i, c] of result.counterexamples.entries()) process.stdout.write(`${describe(c)}\n  folder:   ${folders[i]}\n`);
    for (const b of result.bugs) process.stdout.write(`bug of ours on seed ${b.seed}: ${b.stack}\n`);
    if (options.coverage) process.stdout.write(`${coverageTable(operations)}\n`);
    process.stdout.write(
      `${table(
        ['what', 'result'],
        [
          ['traces replayed on model and executor', `${traces}, ${fromXen} of them recorded from real Xen; ${bad.length} rejected`],
          ['programs generated', `${count(result.programs)} (seeds ${first}..${first + result.programs - 1}${stoppedEarly})`],
          ['instructions compared', count(result.instructions)],
          ['hypercalls compared', count(result.hypercalls)],
          ['observations compared', count(result.observations)],
          ['divergences', count(result.counterexamples.length)],
          ['operations of the slice exercised', `${SLICE.filter((s) => s in operations).length} of ${SLICE.length}`],
          ['clause coverage', `${covered.length} of ${clauses.length} (${percent(covered.length, clauses.length)})`],
          [
            'stopped at something not modelled',
            Object.entries(result.notModelled)
              .map(([w, n]) => `${w} ${n}`)
              .join(', ') || 'none',
          ],
          [
            'throughput',
            `${rate(result.programs / result.seconds)} programs/s, ${rate(result.instructions / result.seconds)} instructions/s, both engines together`,
          ],
        ],
      )}\nverdict: ${verdict}\n`,
    );
  }
  if (verdict === 'bug') return EXIT.bug;
  return verdict === 'agreed' ? EXIT.ok : EXIT.divergence;
};

const coverageTable = (operations: ReturnType<import('../../campaign/coverage.ts').Coverage['toJSON']>): string =>
  table(
    ['operation', 'count', 'carried out', 'outcomes'],
    [...new Set([...SLICE, ...Object.keys(operations)])].sort().map((name) => {
      const outcomes = operations[name] ?? {};
      const all = Object.values(outcomes).reduce((a, b) => a + b, 0);
      return [
        name,
        all,
        percent((outcomes['ok'] ?? 0) + (outcomes['no return'] ?? 0), all),
        Object.entries(outcomes)
          .map(([o, n]) => `${o} ${n}`)
          .join(', '),
      ];
    }),
  );

const report = (check: PeerCheck, options: Options): number => {
  if (options.json) process.stdout.write(`${JSON.stringify(check, null, 2)}\n`);
  else {
    for (const d of check.differences)
      process.stdout.write(`${d.where}\n  ${check.peer}: ${d.peer}\n  ${d.engine}: ${d.seen}\n  folder: ${d.folder}\n`);
    if (check.unavailable === null)
      process.stdout.write(
        `${table(
          ['what', 'result'],
          [
            ['peer', `${check.peer} ${check.version}`],
            [
              'programs',
              `${count(check.programs)} (seeds ${check.seeds.first}..${check.seeds.last}; ${check.skipped} of several domains passed over)`,
            ],
            ['boots', count(check.boots)],
            ['console lines compared', count(check.lines)],
            ['unexplained differences', count(check.differences.length)],
            ['inconclusive boots', describeInconclusive(check)],
            ['throughput', `${rate(check.programs / check.seconds)} programs/s`],
          ],
        )}\n`,
      );
    else process.stdout.write(`skipped: ${check.unavailable}\n`);
  }
  if (check.unavailable !== null) return EXIT.unavailable;
  return check.differences.length > 0 ? EXIT.divergence : EXIT.ok;
};

const describeInconclusive = (check: PeerCheck): string =>
  check.inconclusive.length === 0
    ? 'none'
    : `${check.inconclusive.length}: ${[...new Set(check.inconclusive.map((i) => i.why))].join('; ')}`;

export const addCheck = (program: Command, done: (code: number) => void): void => {
  program
    .command('check')
    .description('the campaign: recorded traces on both engines, then fresh programs in lockstep; or fresh programs against a peer')
    .option('--seeds <A..B>', 'seeds of the generated programs; fresh ones when absent', seedRange)
    .option('--programs <n>', `how many fresh programs (default: ${PROGRAMS})`, wholeNumber(1, 10_000_000))
    .option('--peer <name>', 'compare with a peer (`xenspec peers` lists them) instead of model with executor')
    .option('--mutant <id>', `plant a bug first: ${MUTANTS.map((m) => m.id).join(', ') || 'none known'}`)
    .option(
      '--budget <seconds>',
      `start no further program after so long (default: ${BUDGET_SECONDS} when neither --seeds nor --programs is given)`,
      wholeNumber(1),
    )
    .option('--out <directory>', 'where counterexamples go', 'counterexamples')
    .option('--keep-going', 'do not stop at the first divergence')
    .option('--no-traces', 'leave the recorded traces out')
    .option('--coverage', 'print the table of operations and outcomes')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExamples:\n  xenspec check\n  xenspec check --seeds 1..2000 --coverage\n  xenspec check --peer xen --programs 24\n  xenspec check --mutant executor-close',
    )
    .action(async (options: Options) => done(await checkCommand(options)));
};
