/** What is mutated, and the tests that have to notice: fast ones that stand beside the sources, since each mutant runs them anew. */
export type Target = {
  readonly about: string;
  /** Globs from the root; `!` leaves out. */
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** Below this percentage the run fails; null: it only reports. */
  readonly least: number | null;
};

const NO_TESTS = '!**/*.test.ts';

export const TARGETS = {
  properties: {
    about: 'the invariants and the two worlds, against small pictures of machines that break them',
    mutate: ['spec/properties/**/*.ts', NO_TESTS, '!spec/properties/testing/**'],
    tests: ['spec/properties/**/*.test.ts'],
    least: 85,
  },
  compare: {
    about: 'the judge that compares two machines; not its self-check, whose teeth are the mutants of part `judge` (xenspec mutants)',
    mutate: ['oracle/compare/*.ts', NO_TESTS, '!oracle/compare/self_check*.ts'],
    tests: ['oracle/compare/{difference,locate,lockstep}.test.ts'],
    least: 85,
  },
  hypervisor: {
    about: 'the model without its processor and devices: days of work as a whole, so choose files by --mutate',
    mutate: ['model/**/*.ts', NO_TESTS, '!model/{bare,cpu,device,fp,testing,word}/**'],
    tests: ['model/**/*.test.ts'],
    least: null,
  },
} as const satisfies Record<string, Target>;
export type TargetName = keyof typeof TARGETS;

/** Tells the tests' configuration of the target. Stryker's own option for test files lets mutants of constants pass unseen (stryker-js issue 6144). */
export const TARGET_VARIABLE = 'XENSPEC_MUTATION_TARGET';
