/** `npm run mutation`: mutation testing by Stryker. Which small changes of the sources does no test notice? */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { Command, CommanderError } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { oneLine, reportFailure } from '../../cli/failure.ts';
import { collect, wholeNumber } from '../../cli/option.ts';
import { table } from '../../cli/table.ts';
import { ROOT } from '../sources.ts';
import { type Score, scores } from './scores.ts';
import { RECORDED, RECORDINGS_VARIABLE, TARGETS, type Target, type TargetName, TESTS_VARIABLE } from './targets.ts';

type Options = {
  readonly mutate?: readonly string[];
  readonly tests?: readonly string[];
  readonly recordings?: string;
  readonly concurrency: number;
  readonly incremental?: true;
  readonly json?: string | true;
};

const EXIT_BELOW = 1;
const EXIT_BAD_INPUT = 2;
/** In what Git, the type checker and the tests leave alone. */
const FOLDER = 'coverage/mutation';

type StrykerOptions = ConstructorParameters<typeof Stryker>[0];

const optionsFor = (name: string, { mutate, without }: Target, options: Options): StrykerOptions => ({
  mutate: [...(options.mutate ?? mutate), ...mutate.filter((glob) => glob.startsWith('!'))],
  mutator: { excludedMutations: [...without] },
  testRunner: 'vitest-5',
  plugins: ['@stryker-mutator/vitest-runner', './oracle/hygiene/mutation/runner.ts'],
  // `related` would also run the campaigns, which import everything.
  vitest: { configFile: 'oracle/hygiene/mutation/vitest.config.ts', related: false },
  concurrency: options.concurrency,
  // TypeScript 7 has no interface for programs, by which Stryker would rewrite paths in tsconfig.json; nothing in it is needed.
  tsconfigFile: 'none',
  disableTypeChecks: true,
  ignorePatterns: ['coverage', 'counterexamples', 'dist', 'recordings'],
  tempDirName: `${FOLDER}/sandbox`,
  reporters: options.json === true ? ['html', 'json'] : ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportScoreTable: false, allowEmojis: false },
  htmlReporter: { fileName: `${FOLDER}/${name}.html` },
  jsonReporter: { fileName: `${FOLDER}/${name}.json` },
  incremental: options.incremental ?? false,
  incrementalFile: `${FOLDER}/${name}.incremental.json`,
  ...(options.json === true ? { logLevel: 'error' as NonNullable<StrykerOptions['logLevel']> } : {}),
});

const rowOf = ({ directory, found, survived, ignored, score }: Score): readonly string[] => [
  directory,
  `${found}`,
  `${survived}`,
  `${ignored}`,
  score === null ? '' : `${score.toFixed(1)} %`,
];

/** What Stryker cannot start with, the tests of the unchanged sources failing among it, is no bug of ours. */
const mutantsOf = async (options: StrykerOptions): ReturnType<Stryker['runMutationTest']> => {
  try {
    return await new Stryker(options).runMutationTest();
  } catch (error) {
    if (error instanceof Error && error.constructor.name === 'ConfigError') throw new BadInput(error.message);
    throw error;
  }
};

const mutation = async (name: string, options: Options): Promise<void> => {
  if (!Object.hasOwn(TARGETS, name)) throw new BadInput(`nothing is called ${name}; there are ${Object.keys(TARGETS).join(', ')}`);
  const target: Target = TARGETS[name as TargetName];
  process.chdir(ROOT);
  process.env[TESTS_VARIABLE] = JSON.stringify([
    ...(options.tests ?? target.tests),
    ...(options.recordings === undefined ? [] : [RECORDED]),
  ]);
  if (options.recordings !== undefined) process.env[RECORDINGS_VARIABLE] = options.recordings;
  const results = await mutantsOf(optionsFor(name, target, options));
  const fates = results.map(({ fileName, status }) => ({ fileName: relative(ROOT, resolve(fileName)).replaceAll('\\', '/'), status }));
  if (fates.length === 0) throw new BadInput('--mutate: no file is called like that, or it holds nothing to mutate');
  const rows = scores(fates);
  const score = rows.at(-1)!.score;
  const isBelow = target.least !== null && (score ?? 0) < target.least;
  const told = { target: name, least: target.least, scores: rows, report: `${FOLDER}/${name}.html` };
  if (typeof options.json === 'string') {
    mkdirSync(dirname(resolve(options.json)), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(told, null, 2)}\n`);
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else
    process.stdout.write(
      `${table(['directory', 'found', 'survived', 'set aside', 'score'], rows.map(rowOf))}\n${FOLDER}/${name}.html shows each\n`,
    );
  if (isBelow) {
    process.stderr.write(`mutation: the score of ${name} is below ${target.least} %\n`);
    process.exitCode = EXIT_BELOW;
  }
};

const program = new Command('mutation')
  .description('Change the sources in every small way that Stryker knows, one at a time, and see whether a test fails.')
  .argument(
    '<target>',
    Object.entries(TARGETS)
      .map(([name, { about }]) => `${name}: ${about}`)
      .join('; '),
  )
  .option('--mutate <glob>', 'only these files of the target, or FILE:LINE-LINE; may be repeated', collect)
  .option('--tests <glob>', 'these test files alone, not all of the target; may be repeated', collect)
  .option('--recordings <prefix>', 'as tests of the model also the recordings of real Xen that begin so')
  .option('--concurrency <n>', 'mutants at a time', wholeNumber(1, 64), 1)
  .option('--incremental', 'take what the last run with this option found for files that have not changed since')
  .option('--json [file]', 'machine-readable result, on standard output or in a file')
  .addHelpText(
    'after',
    "\nExamples:\n  npm run mutation -- properties\n  npm run mutation -- compare --json\n  npm run mutation -- hypervisor --mutate 'model/page_type/*.ts' --tests 'model/page_type/*.test.ts' --recordings page_type",
  )
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`mutation: ${oneLine(text.replace(/^error: /, ''))}\n`) })
  .action(mutation);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_BAD_INPUT;
  else process.exitCode = reportFailure(error);
}
