/** What is mutated, and the tests that have to notice: fast ones that stand beside the sources, since each mutant runs them anew. */
export type Target = {
  readonly about: string;
  /** Globs from the root; `!` leaves out. */
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** Kinds of changes that are not made, and why. */
  readonly without: readonly string[];
  /** Below this percentage the run fails; null: it only reports. */
  readonly least: number | null;
};

const NO_TESTS = '!**/*.test.ts';

export const TARGETS = {
  properties: {
    about: 'the invariants and the two worlds, against small pictures of machines that break them',
    mutate: ['spec/properties/**/*.ts', NO_TESTS, '!spec/properties/testing/**'],
    tests: ['spec/properties/**/*.test.ts'],
    without: [],
    least: 85,
  },
  compare: {
    about:
      'what compares two machines, a machine and real Xen, an instruction and the processor; not its self-check, whose teeth are the mutants of part `judge` (xenspec mutants)',
    mutate: [
      'oracle/compare/*.ts',
      'oracle/campaign/peer/compare.ts',
      'oracle/campaign/isa/{compare,fx_compare}.ts',
      NO_TESTS,
      '!oracle/compare/self_check*.ts',
    ],
    tests: [
      'oracle/compare/{difference,locate,lockstep,watch}.test.ts',
      'oracle/campaign/peer/compare.test.ts',
      'oracle/campaign/isa/{compare,compare_exactly,fx_compare}.test.ts',
    ],
    without: [],
    least: 85,
  },
  hypervisor: {
    about: 'the model without its processor and devices: days of work as a whole, so choose files by --mutate, and their tests by --tests',
    mutate: ['model/**/*.ts', NO_TESTS, '!model/{bare,cpu,device,fp,testing,word}/**'],
    tests: ['model/*.test.ts', 'model/{domain,emulate,hypercall,memory,page_type,sched,time,traps}/**/*.test.ts'],
    // Strings of the model are names from closed lists (clauses, errors, kinds): the type checker refuses any other.
    without: ['StringLiteral'],
    least: null,
  },
} as const satisfies Record<string, Target>;
export type TargetName = keyof typeof TARGETS;

/** Tells the tests' configuration their files, as JSON. Stryker's own option for that lets mutants of constants pass unseen (stryker-js issue 6144). */
export const TESTS_VARIABLE = 'XENSPEC_MUTATION_TESTS';

/** Which recordings of real Xen are replayed on the model as tests, too: the beginning of their names. */
export const RECORDINGS_VARIABLE = 'XENSPEC_MUTATION_RECORDINGS';
export const RECORDED = 'oracle/hygiene/mutation/recorded.ts';
