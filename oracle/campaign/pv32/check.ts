/** Generated programs of 32-bit guests in lockstep, counted, and shrunk when the engines part. */
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import type { Pv32Script } from '#traces/conformance_pv32.ts';
import { locate } from '../../compare/locate.ts';
import { type Divergence, lockstep, type Pair, type Subject } from '../../compare/lockstep.ts';
import { DEFAULT_POLICY, type Policy } from '../environment.ts';
import { isWatched } from '../judge.ts';
import { firstFrameOf, type Role, subjectOf } from './machine.ts';
import { drawProgram, type Pv32Program } from './program.ts';
import { subjectOfVaried, variedPv32 } from './varied.ts';

/** Steps of a program, and of the guest's processor that it may take. */
export const LENGTH = 60;
export const STEP_LIMIT = 20_000;

/** Every other seed is a domain beside another; the others are domain 0. */
export const roleOfSeed = (seed: number): Role => (seed % 2 === 0 ? 'dom0' : 'domu');

export type Pv32Options = {
  readonly first: number;
  /** How many programs, at most; and how many hypercalls after which no further one starts. */
  readonly programs: number;
  readonly hypercalls?: number;
  readonly release?: XenRelease;
  readonly families?: readonly string[];
  readonly budgetMs?: number;
  readonly onProgram?: () => void;
  /** Make the counterexample small (the default). */
  readonly shrink?: boolean;
};

export type Pv32Counterexample = {
  readonly seed: number;
  readonly role: Pv32Script['role'];
  readonly subject: Subject;
  readonly program: Pv32Program;
  readonly divergence: Divergence;
};

export type Pv32Result = {
  readonly programs: number;
  readonly hypercalls: number;
  readonly retired: number;
  /** How programs ended, and what is not modelled that stopped some. */
  readonly finishes: ReadonlyMap<string, number>;
  readonly stops: ReadonlyMap<string, number>;
  readonly families: ReadonlyMap<string, number>;
  readonly clauses: ReadonlySet<string>;
  readonly counterexample: Pv32Counterexample | null;
};

type Ran =
  | {
      readonly kind: 'agreed';
      readonly finish: string;
      readonly what: string | null;
      readonly hypercalls: number;
      readonly retired: number;
      readonly clauses: readonly string[];
    }
  | { readonly kind: 'parted'; readonly divergence: Divergence };

const STOP = 'not modelled: ';

/** What one engine alone does not model, or comes upon first: no divergence, but told. */
const stopOfOne = ({ aspect, difference }: Divergence): string | null => {
  if (aspect !== 'ending') return null;
  const [expected, seen] = [String(difference.expected), String(difference.seen)];
  const stops = [
    ...(expected.startsWith(STOP) ? [`${expected.slice(STOP.length)} (model)`] : []),
    ...(seen.startsWith(STOP) ? [`${seen.slice(STOP.length)} (executor)`] : []),
  ];
  return stops.length === 0 ? null : stops.join(', ');
};

/** What a seed stands for: a program, its machine, and how it is run. */
export type Pv32Case = {
  readonly role: Pv32Script['role'];
  readonly program: Pv32Program;
  readonly subjectOf: (program: Pv32Program) => Subject;
  readonly options: { readonly limit: number; readonly policy?: Policy; readonly watch?: boolean };
};

/** A seed among so many is a variation of a script, unless families or another release are asked for. */
const VARIED = 4;
const VARIED_LIMIT = 100_000;

export const caseOfPv32 = (seed: number, release: XenRelease, families?: readonly string[]): Pv32Case => {
  const varied = seed % VARIED === 1 && release === REFERENCE_RELEASE && families === undefined ? variedPv32(seed) : null;
  if (varied !== null) {
    const { script, program } = varied;
    // Of every other one long operations stop on the way.
    const turn = (seed - 1) / VARIED;
    return {
      ...{ role: script.role, program, subjectOf: (less: Pv32Program) => subjectOfVaried(script, less) },
      options: { limit: VARIED_LIMIT, policy: { ...DEFAULT_POLICY, slice: script.slice, seed, ...(turn % 2 === 1 ? { preempt: 2 } : {}) } },
    };
  }
  const role = roleOfSeed(seed);
  return {
    ...{ role, program: drawProgram(seed, firstFrameOf(role), LENGTH, families) },
    ...{ subjectOf: (less: Pv32Program) => subjectOf(less, role, release), options: { limit: STEP_LIMIT } },
  };
};

const run = (pair: Pair, subject: Subject, options: Pv32Case['options']): Ran => {
  const verdict = lockstep(pair, subject, options);
  if (verdict.agree) return { kind: 'agreed', ...verdict.agreement };
  const { divergence } = verdict;
  const what = stopOfOne(divergence);
  if (what !== null) return { kind: 'agreed', finish: 'not_modelled', what, hypercalls: 0, retired: 0, clauses: [] };
  return { kind: 'parted', divergence };
};

/** Leave out as many steps as can be, halves first, while it still fails. */
export const shrinkPv32 = (program: Pv32Program, fails: (less: Pv32Program) => boolean): Pv32Program => {
  let small = program;
  for (let chunk = Math.ceil(small.steps.length / 2); chunk >= 1; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)) {
    for (let at = 0; at < small.steps.length; ) {
      const less = { ...small, steps: small.steps.filter((_, i) => i < at || i >= at + chunk) };
      if (less.steps.length < small.steps.length && fails(less)) small = less;
      else at += chunk;
    }
  }
  return small;
};

const count = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1);
};

/** Stops at the first divergence. */
export const checkPv32 = (pair: Pair, options: Pv32Options): Pv32Result => {
  const {
    first,
    programs,
    hypercalls: wanted = Number.POSITIVE_INFINITY,
    release = REFERENCE_RELEASE,
    families,
    budgetMs,
    onProgram,
  } = options;
  const started = performance.now();
  const [finishes, stops, drawn] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const clauses = new Set<string>();
  let [done, hypercalls, retired] = [0, 0, 0];
  let counterexample: Pv32Counterexample | null = null;
  const inTime = (): boolean => budgetMs === undefined || performance.now() - started < budgetMs;
  for (let seed = first; seed < first + programs && hypercalls < wanted && inTime() && counterexample === null; seed++) {
    const { role, program, subjectOf: machine, options: how } = caseOfPv32(seed, release, families);
    const limits = { ...how, watch: isWatched(seed) };
    const ran = run(pair, machine(program), limits);
    done++;
    if (ran.kind === 'agreed') {
      for (const { family } of program.steps) count(drawn, family);
      count(finishes, ran.finish);
      if (ran.what !== null) count(stops, ran.what);
      for (const clause of ran.clauses) clauses.add(clause);
      hypercalls += ran.hypercalls;
      retired += ran.retired;
    } else {
      const parts = (less: Pv32Program): boolean => run(pair, machine(less), limits).kind === 'parted';
      const small = options.shrink === false ? program : shrinkPv32(program, parts);
      const subject = machine(small);
      const again = run(pair, subject, limits);
      const { divergence } = again.kind === 'parted' ? again : ran;
      counterexample = { seed, role, program: small, subject, divergence: locate(pair, subject, divergence) };
    }
    onProgram?.();
  }
  return { programs: done, hypercalls, retired, finishes, stops, families: drawn, clauses, counterexample };
};
