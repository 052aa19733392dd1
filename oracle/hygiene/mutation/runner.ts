/**
 * Stryker's test runner for vitest, put right for vitest 5. A mutant is shown to whole test files, those in which some test reaches it: the runner
 * names tests by a pattern that vitest 5 does not understand for tests in groups (stryker-js issue 6210), and would take such a mutant for unnoticed.
 * And a file that cannot even be loaded has noticed the mutant (stryker-js issue 6150).
 */
import { strykerPlugins as theirs } from '@stryker-mutator/vitest-runner';

/** What is used here of the runner. */
type Runner = {
  readonly ctx?: { readonly state: { getFiles(): readonly { readonly name: string; readonly result?: { readonly state: string } }[] } };
  mutantRun(options: { readonly testFilter?: readonly string[] }): Promise<{ readonly status: string }>;
};

/** Ids of tests are `FILE#NAME`; an empty name stands for all tests of the file. */
export const filesOf = (tests: readonly string[]): readonly string[] => [...new Set(tests.map((test) => `${test.split('#', 1)[0]}#`))];

const putRight = (runner: Runner): Runner => {
  const run = runner.mutantRun.bind(runner);
  runner.mutantRun = async (options) => {
    const result = await run(options.testFilter === undefined ? options : { ...options, testFilter: filesOf(options.testFilter) });
    const unloaded = runner.ctx?.state.getFiles().find((file) => file.result?.state === 'fail');
    if (result.status !== 'survived' || unloaded === undefined) return result;
    return { status: 'killed', killedBy: [], failureMessage: `${unloaded.name} cannot be loaded`, nrOfTests: 1 } as {
      readonly status: string;
    };
  };
  return runner;
};

const factory = (injector: unknown): unknown => putRight((theirs[0]!.factory as (injector: unknown) => Runner)(injector));
factory.inject = ['$injector'] as const;

export const strykerPlugins = [{ kind: 'TestRunner', name: 'vitest-5', factory }];
