/**
 * `xenspec check --hypercalls`: dense programs on model and executor until so many hypercalls were compared, and what became of each operation.
 * `xenspec check --variations`: the same for so many programs that conformance scripts were made into.
 */
import type { Command } from 'commander';
import type { XenRelease } from '#spec/releases/release.ts';
import { type CampaignResult, runCampaign } from '../../campaign/campaign.ts';
import { writeCounterexample } from '../../campaign/counterexample.ts';
import { describe } from '../../campaign/counterexample_readme.ts';
import { type OperationCounts, SLICE } from '../../campaign/coverage.ts';
import { ENGINES, loadEngine } from '../../campaign/engines.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { largeNumber } from '../option.ts';
import { count, Progress, percent, rate, table } from '../table.ts';
import { version } from '../version.ts';

export type HypercallOptions = {
  hypercalls?: number;
  variations?: number;
  xen?: XenRelease;
  seeds?: { readonly first: number; readonly last: number };
  mutant?: string;
  budget?: number;
  out: string;
  keepGoing?: true;
  json?: true;
};

export const addHypercallOptions = (command: Command): void => {
  command.option(
    '--hypercalls <n>',
    'dense programs until so many hypercalls were compared, e.g. 5e6; batches count by their elements',
    largeNumber,
  );
  command.option('--variations <n>', 'so many programs that begin as conformance scripts, joined and changed a little', largeNumber);
};

/** What share of an operation's calls passed Xen's checks of their arguments. */
export type OperationShare = {
  readonly operation: string;
  readonly calls: number;
  readonly passed: number;
  /** By errno or status, most frequent first. */
  readonly refusals: Readonly<Record<string, number>>;
};

const PASSED: readonly string[] = ['ok', 'no return'];
export const sharesOf = (operations: OperationCounts): readonly OperationShare[] =>
  Object.entries(operations).map(([operation, outcomes]) => ({
    operation,
    calls: Object.values(outcomes).reduce((sum, n) => sum + n, 0),
    passed: PASSED.reduce((sum, name) => sum + (outcomes[name] ?? 0), 0),
    refusals: Object.fromEntries(
      Object.entries(outcomes)
        .filter(([name]) => !PASSED.includes(name))
        .sort(([, a], [, b]) => b - a),
    ),
  }));

const shareTable = (shares: readonly OperationShare[]): string =>
  table(
    ['operation', 'calls', 'passed', 'refused as'],
    shares.map(({ operation, calls, passed, refusals }) => [
      operation,
      calls,
      percent(passed, calls),
      Object.entries(refusals)
        .map(([name, n]) => `${name} ${n}`)
        .join(', '),
    ]),
  );

const verdictOf = ({ bugs, counterexamples }: CampaignResult): 'agreed' | 'diverged' | 'bug' =>
  bugs.length > 0 ? 'bug' : counterexamples.length > 0 ? 'diverged' : 'agreed';

function* seedsOf(first: number, last: number): Generator<number> {
  for (let seed = first; seed <= last; seed++) yield seed;
}

/** Seeds are 31 bits wide. */
const LAST_SEED = 0x7fffffff;

export const checkHypercalls = async (first: number, options: HypercallOptions): Promise<number> => {
  const { variations, hypercalls = 1 } = options;
  const progress = new Progress(
    variations === undefined ? 'hypercalls, model against executor' : 'variations of scripts, model against executor',
    variations ?? hypercalls,
  );
  const result = await runCampaign({
    work: variations === undefined ? 'dense' : 'varied',
    ...(options.xen === undefined ? {} : { release: options.xen }),
    seeds: seedsOf(first, options.seeds?.last ?? (variations === undefined ? LAST_SEED : first + variations - 1)),
    ...(variations === undefined ? { hypercalls } : {}),
    ...(options.mutant === undefined ? {} : { mutant: options.mutant }),
    stopAtFirst: !options.keepGoing,
    budgetMs: options.budget === undefined ? null : options.budget * 1000,
    onProgram: (n) => progress.step(variations === undefined ? n : 1),
  });
  progress.done();
  const [reference, subject] = await Promise.all(ENGINES.map(loadEngine));
  const folders = result.counterexamples.map((c) =>
    onFile(options.out, () =>
      writeCounterexample(options.out, { reference: reference!, subject: subject! }, c, version(), options.mutant ?? null),
    ),
  );
  const shares = sharesOf(result.coverage.toJSON());
  const all = result.hypercalls + result.elements;
  const next = first + result.programs;
  if (options.json) {
    const { programs, instructions, observations, elements, notModelled, bugs, seconds } = result;
    const found = result.counterexamples.map((c, i) => ({ seed: c.seed, folder: folders[i], ...c.divergence }));
    const summary = { verdict: verdictOf(result), seeds: { first, next }, hypercalls: all, elements, programs, instructions, observations };
    const invariants = { looks: result.looks, programs: result.watched };
    process.stdout.write(
      `${JSON.stringify({ ...summary, invariants, counterexamples: found, not_modelled: notModelled, bugs, operations: shares, seconds }, null, 2)}\n`,
    );
  } else {
    for (const [i, c] of result.counterexamples.entries()) process.stdout.write(`${describe(c)}\n  folder:   ${folders[i]}\n`);
    for (const { seed, stack } of result.bugs) process.stdout.write(`bug of ours on seed ${seed}: ${stack}\n`);
    process.stdout.write(`${shareTable(shares)}\n${summaryTable(result, all, first, next, shares)}\nverdict: ${verdictOf(result)}\n`);
  }
  return { agreed: EXIT.ok, diverged: EXIT.divergence, bug: EXIT.bug }[verdictOf(result)];
};

const summaryTable = (result: CampaignResult, all: number, first: number, next: number, shares: readonly OperationShare[]): string => {
  const { programs, instructions, observations, elements, counterexamples, notModelled, seconds } = result;
  const passed = shares.reduce((sum, share) => sum + share.passed, 0);
  const names = new Set(shares.map(({ operation }) => operation));
  return table(
    ['what', 'result'],
    [
      ['hypercalls compared', `${count(all)}, ${count(elements)} of them elements of batches`],
      ['passed the checks of arguments', percent(passed, all)],
      ['operations of the slice among them', `${SLICE.filter((name) => names.has(name)).length} of ${SLICE.length}`],
      ['programs', `${count(programs)} (seeds ${first}..${next - 1}; to go on: --seeds ${next}..${LAST_SEED})`],
      ['instructions compared', count(instructions)],
      ['observations compared', count(observations)],
      ['transitions after which the invariants were looked at', `${count(result.looks)}, in ${count(result.watched)} programs`],
      ['divergences', count(counterexamples.length)],
      [
        'stopped at something not modelled',
        Object.entries(notModelled)
          .map(([what, n]) => `${what} ${n}`)
          .join(', ') || 'none',
      ],
      ['throughput', `${rate(all / seconds)} hypercalls/s, ${rate(programs / seconds)} programs/s, both engines together`],
    ],
  );
};
