/** Judge one case: run it in lockstep; when the engines part, find the step, shrink the program, and say everything about it. */
import type { Program } from '#spec/program.ts';
import { locate } from '../compare/locate.ts';
import { type Agreement, type Divergence, lockstep, type Pair } from '../compare/lockstep.ts';
import { shrinkProgram } from '../generators/index.ts';
import { type Case, caseOf, type Work } from './case.ts';
import { Coverage, type OperationCounts } from './coverage.ts';
import { DEFAULT_POLICY, type Policy } from './environment.ts';

export type Judged =
  | { readonly agree: true; readonly seed: number; readonly agreement: Agreement; readonly operations: OperationCounts }
  | { readonly agree: false; readonly seed: number; readonly counterexample: Counterexample };

export type Counterexample = {
  readonly seed: number;
  readonly work: Work;
  /** As generated, and as small as it could be made. */
  readonly original: Program;
  readonly program: Program;
  readonly policy: Policy;
  /** Narrowed to the first differing instruction of the small program. */
  readonly divergence: Divergence;
  readonly trials: number;
};

/** A generated program needs far fewer; a run that reaches it is in a loop, on both machines alike. */
export const STEP_LIMIT = 3_000_000;

/** Machines are compared whole after each slice; where hypercalls are dense, their events tell most, and slices are longer. */
const SLICE: Readonly<Record<Work, number>> = { mixed: 500, dense: 5000, varied: 500 };

/** The policy of a seed: slices of different lengths, so that time inputs fall in different places; for some, long operations stop on the way. */
export const policyOf = (seed: number, work: Work = 'mixed'): Policy => ({
  ...DEFAULT_POLICY,
  slice: SLICE[work] + ((Math.imul(seed, 2654435761) >>> 0) % (10 * SLICE[work])),
  seed: seed & 0xffff,
  ...(work === 'varied' ? (seed % 2 === 1 ? { preempt: 2 } : {}) : seed % 3 === 0 ? { preempt: 3 } : {}),
});

/** Of so many seeds one has the invariants looked at, whenever machines are compared. */
export const WATCHED_OF = 8;
export const isWatched = (seed: number): boolean => seed % WATCHED_OF === 0;

export type Judging = { readonly shrink?: boolean; readonly watch?: boolean };

export const judge = (pair: Pair, subject: Case, { shrink = true, watch = isWatched(subject.seed) }: Judging = {}): Judged => {
  const policy = policyOf(subject.seed, subject.work);
  const options = { policy, limit: STEP_LIMIT, watch };
  const verdict = lockstep(pair, subject, options);
  if (verdict.agree) {
    const coverage = new Coverage();
    for (const event of verdict.events) coverage.add(event);
    return { agree: true, seed: subject.seed, agreement: verdict.agreement, operations: coverage.toJSON() };
  }
  let trials = 0;
  let smallest = { subject, divergence: verdict.divergence };
  const stillParts = (program: Program): boolean => {
    trials++;
    const candidate = caseOf(program, subject.seed, subject.work);
    const again = lockstep(pair, candidate, options);
    if (again.agree) return false;
    smallest = { subject: candidate, divergence: again.divergence };
    return true;
  };
  const program = shrink ? shrinkProgram(subject.program, stillParts) : subject.program;
  return {
    agree: false,
    seed: subject.seed,
    counterexample: {
      seed: subject.seed,
      work: subject.work,
      original: subject.program,
      program,
      policy,
      divergence: locate(pair, smallest.subject, smallest.divergence),
      trials,
    },
  };
};
