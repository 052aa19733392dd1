/** What the files of one area may import. Everything else is forbidden; an area may always import itself. */
export interface ImportRule {
  /** A folder, or one file, from the root. The longest area that holds a file is the file's. */
  readonly area: string;
  /** Other areas; `*` is anything. */
  readonly areas: readonly string[];
  readonly packages: readonly string[];
  /** Whether `node:` modules and Node's own globals may be used. */
  readonly node: boolean;
  readonly why: string;
}

const ANYTHING = { areas: ['*'], packages: ['*'], node: true } as const;

export const IMPORT_RULES: readonly ImportRule[] = [
  { area: 'spec', areas: [], packages: ['zod'], node: false, why: 'the contract stands alone, and runs in a browser' },
  {
    area: 'model',
    areas: ['spec'],
    packages: ['ts-pattern'],
    node: false,
    why: 'the reference is written from the contract alone, and runs in a browser',
  },
  { area: 'traces', areas: ['spec'], packages: ['zod'], node: true, why: 'traces know the contract, and no engine' },
  { area: 'traces/format.ts', areas: ['spec'], packages: ['zod'], node: false, why: 'the format is read in a browser too' },
  {
    area: 'oracle/executor',
    areas: ['spec'],
    packages: [],
    node: false,
    why: 'a second reading of the contract shares nothing with the first',
  },
  { area: 'oracle/image', areas: ['spec'], packages: [], node: false, why: 'an image is built for every machine alike' },
  {
    area: 'oracle/generators',
    areas: ['spec', 'oracle/image'],
    packages: ['fast-check'],
    node: false,
    why: "inputs must not inherit an engine's blind spots",
  },
  {
    area: 'oracle/peers',
    areas: ['spec', 'traces', 'oracle/image'],
    packages: [],
    node: true,
    why: 'a peer is a machine that nobody here wrote',
  },
  { area: 'oracle', ...ANYTHING, why: 'the judge sees both engines' },
  { area: 'vitest.config.ts', ...ANYTHING, why: 'a tool of the checkout' },
];

/** Tests may use more than the code beside them: the test runner, generated values, files. Never the other engine. */
export const TEST_PACKAGES: readonly string[] = ['vitest', 'fast-check'];

/** Pairs that never meet, directly or through any chain of imports, tests included. */
export const NEVER_MEET: readonly (readonly [string, string])[] = [
  ['model', 'oracle/executor'],
  ['oracle/executor', 'model'],
];

/** Where nothing may depend on chance or on the clock: what the specification leaves open is an input. */
export const DETERMINISTIC: readonly string[] = ['spec', 'model', 'oracle/executor', 'oracle/image'];
