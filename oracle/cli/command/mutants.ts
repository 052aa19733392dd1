/** `xenspec mutants`: published defects of Xen, planted in the executor one by one, and how long it takes to find each. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { GROUPS, type Group, huntAdvisories, inGroup, type Result } from '../../campaign/hunt/advisories.ts';
import { METHODS, type Method } from '../../campaign/hunt/hunt.ts';
import { MEASURED, measured, runOf, withRun } from '../../campaign/hunt/measured.ts';
import { ADVISORIES, type Advisory, MISSING } from '../../mutants/advisories/index.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { collect, wholeNumber } from '../option.ts';
import { Progress, percent, table } from '../table.ts';

type Options = {
  only?: readonly string[];
  budget: number;
  seed?: number;
  by: readonly Method[];
  jobs: number;
  state?: string;
  record?: true;
  shrink: boolean;
  json?: true;
};

/** Hunting for mutants replaces text of sources while Node loads them; the published package has none. */
const SOURCES = new URL('../../campaign/engines.ts', import.meta.url);
const LAST_SEED = 0x3fffffff;

const methodsOf = (text: string): readonly Method[] => {
  const names = text.split(',') as Method[];
  const unknown = names.find((name) => !METHODS.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`there are ${METHODS.join(', ')}.`);
  return names;
};

/** Numbers of advisories, or names of groups. */
const chosen = (only: readonly string[] | undefined): readonly Advisory[] => {
  if (only === undefined) return inGroup('all');
  const names = only.flatMap((text) => text.split(','));
  const found = names.flatMap((name) => {
    if (GROUPS.includes(name as Group)) return inGroup(name as Group);
    // A number without a letter stands for all that has it.
    const these = ADVISORIES.filter(({ id }) => id === name || id.replace(/[a-z]$/, '') === name);
    if (these.length === 0) throw new BadInput(`--only ${name}: no advisory that is listed; groups are ${GROUPS.join(', ')}`);
    return these;
  });
  return [...new Set(found)];
};

type State = { readonly seed: number; readonly budget: number; readonly methods: readonly Method[]; readonly mutants: readonly Result[] };

/** What an earlier run with the same seed, time and methods has found out. */
const readState = (path: string | undefined, options: Omit<State, 'mutants'>): readonly Result[] => {
  if (path === undefined || !existsSync(path)) return [];
  const { mutants, ...before } = onFile(path, () => JSON.parse(readFileSync(path, 'utf8')) as State);
  if (JSON.stringify(before) !== JSON.stringify(options)) throw new BadInput(`--state ${path}: it is of another seed, budget or method`);
  return mutants;
};

const seconds = (value: number | null | undefined): string => (value == null ? '–' : value.toFixed(1));
const middle = (values: readonly number[], share: number): number | null =>
  values.length === 0 ? null : ([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? null);

const resultRows = (results: readonly Result[], methods: readonly Method[]): readonly (readonly string[])[] =>
  results
    .filter(({ expressible }) => expressible)
    .map((result) => [
      result.id,
      result.summary ?? '',
      result.killed ? (result.by ?? '') : 'survived',
      ...methods.map((method) => seconds(result.methods[method]?.seconds)),
      result.steps === null ? '–' : String(result.steps),
    ]);

const missingRows = (results: readonly Result[]): readonly (readonly string[])[] =>
  Object.entries(MISSING)
    .map(([part, what]) => [what, results.filter(({ missing }) => missing === part).map(({ id }) => id)] as const)
    .filter(([, ids]) => ids.length > 0)
    .map(([what, ids]) => [what, ids.join(' ')]);

const summaryRows = (results: readonly Result[], methods: readonly Method[]): readonly (readonly string[])[] => {
  const hunted = results.filter(({ expressible }) => expressible);
  const row = (what: string, of: readonly Result[]): readonly string[] => {
    const killed = of.filter((one) => one.killed);
    const times = killed.flatMap((one) => one.seconds ?? []);
    const steps = killed.flatMap((one) => one.steps ?? []);
    return [
      what,
      `${killed.length} of ${of.length} (${percent(killed.length, of.length)})`,
      ...methods.map((method) => String(of.filter((one) => one.methods[method]).length)),
      seconds(middle(times, 0.5)),
      String(middle(steps, 0.5) ?? '–'),
      String(middle(steps, 0.95) ?? '–'),
    ];
  };
  return [
    row(
      'milestone',
      hunted.filter(({ milestone }) => milestone),
    ),
    row(
      'set aside by lot',
      hunted.filter((one) => one.set_aside),
    ),
    row(
      'others',
      hunted.filter((one) => !one.set_aside && !one.milestone),
    ),
    row('all', hunted),
  ].filter(([, killed]) => !killed?.includes('of 0 '));
};

/** Adds the run to what the book shows. */
const record = (about: Omit<State, 'mutants'> & { readonly only: string }, results: readonly Result[]): void => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const runs = withRun(measured(), runOf({ ...about, date: new Date().toISOString().slice(0, 10), commit }, results));
  writeFileSync(MEASURED, `${JSON.stringify(runs, null, 1)}\n`);
};

const mutantsCommand = async (options: Options): Promise<number> => {
  if (!existsSync(SOURCES)) throw new BadInput('mutants: bugs can be planted in a checkout only');
  const { budget, jobs, by: methods, shrink, state, json } = options;
  // Without --seed it is fresh: taken from the clock, and printed.
  const seed = options.seed ?? Math.floor(Date.now() / 1000) % LAST_SEED;
  const advisories = chosen(options.only);
  const about = { seed, budget, methods };
  const known = readState(state, about);
  const done: Result[] = [...known];
  const progress = new Progress('advisories', advisories.length);
  progress.step(advisories.filter(({ id }) => known.some((one) => one.id === id)).length);
  const results = await huntAdvisories(advisories, {
    ...{ methods, first: seed, budgetMs: budget * 1000, shrink, jobs, known },
    onResult: (result) => {
      progress.step();
      done.push(result);
      if (state !== undefined) onFile(state, () => writeFileSync(state, `${JSON.stringify({ ...about, mutants: done }, null, 1)}\n`));
    },
  });
  progress.done();
  // A counterexample that was left as it was found has no size worth keeping.
  const kept = shrink ? results : results.map((result) => ({ ...result, steps: null }));
  if (options.record) record({ only: options.only?.join(',') ?? 'all', ...about }, kept);
  const survived = results.filter(({ expressible, killed }) => expressible && !killed);
  if (json) process.stdout.write(`${JSON.stringify({ ...about, mutants: results }, null, 2)}\n`);
  else {
    const columns = methods.map((method) => `${method}, s`);
    process.stdout.write(`${table(['advisory', 'what is broken', 'found by', ...columns, 'steps'], resultRows(results, methods))}\n`);
    const missing = missingRows(results);
    if (missing.length > 0) process.stdout.write(`${table(['the machine lacks', 'advisories'], missing)}\n`);
    const head = ['advisories', 'found', ...methods.map((method) => `by ${method}`), 'median s', 'median steps', '95 % steps'];
    process.stdout.write(`${table(head, summaryRows(results, methods))}\nseed: ${seed}\n`);
  }
  return survived.length === 0 ? EXIT.ok : EXIT.divergence;
};

/** Seconds of the processor's time for each mutant and method. */
const BUDGET = 60;

export const addMutants = (program: Command, done: (code: number) => void): void => {
  program
    .command('mutants')
    .description('defects that Xen has published, planted in the executor one by one: by what each is found, how soon, and how small')
    .option('--only <which>', `numbers of advisories, or ${GROUPS.join(', ')}; commas between them, or given again`, collect)
    .option('--budget <seconds>', 'processor time of the search for each, with each method', wholeNumber(1, 100_000), BUDGET)
    .option('--seed <n>', 'first seed of the programs; a fresh one when absent', wholeNumber(0, LAST_SEED))
    .option('--by <methods>', `of ${METHODS.join(', ')}: those to hunt with`, methodsOf, METHODS)
    .option('--jobs <n>', 'how many mutants at once', wholeNumber(1, 64), 1)
    .option('--state <file>', 'keep results there, and go on from them')
    .option('--record', 'add the run to the book: measured.json; then `npm run fix`, and `npm run clauses` draws the chapter')
    .option('--no-shrink', 'leave counterexamples as they were found')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExit codes: 0 each that the machine can have was found, 1 some was not, 2 an option that makes no sense, 70 a bug of ours.' +
        '\n\nExamples:\n  xenspec mutants --only milestone\n  xenspec mutants --only 182,240 --by invariants --budget 30 --seed 7\n  xenspec mutants --state mutants.json --jobs 2 --json',
    )
    .action(async (options: Options) => done(await mutantsCommand(options)));
};
