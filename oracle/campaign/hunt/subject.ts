/** The machine of an attempt, and what may be taken away from its program. */
import type { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import type { Subject } from '../../compare/lockstep.ts';
import { shrinkProgram } from '../../generators/index.ts';
import { unrolled } from '../../image/compile/unrolled.ts';
import { type Case, caseOf, caseOfSeed } from '../case.ts';
import { LIMIT as CROWD_LIMIT, policyOf as crowdPolicy, subjectOf as crowdSubject, DRAWS, shrinkCrowd } from '../crowd/check.ts';
import { type Crowd, drawCrowd } from '../crowd/draw.ts';
import { DEFAULT_POLICY, type Policy } from '../environment.ts';
import { policyOf, STEP_LIMIT } from '../judge.ts';
import { LENGTH, STEP_LIMIT as PV32_LIMIT, roleOfSeed, shrinkPv32 } from '../pv32/check.ts';
import { firstFrameOf, subjectOf as pv32Subject } from '../pv32/machine.ts';
import { drawProgram, type Pv32Program } from '../pv32/program.ts';
import type { Attempt } from './attempt.ts';

/** Something to run, and smaller ones of its kind. */
export type Prey = {
  readonly subject: Subject;
  readonly policy: Policy;
  /** Steps that it may take. */
  readonly limit: number;
  /** How many things its guests do: calls that tables draw count one by one. */
  readonly steps: number;
  /** The smallest that still fails. */
  readonly shrink: (fails: (less: Prey) => boolean) => Prey;
};

export const CROWD_SIZES: readonly number[] = [2, 3, 4];

/** How many things the guests of a program do. */
export const sizeOf = ({ steps }: Program): number =>
  steps.reduce((sum, step) => sum + (step.do !== 'calls' ? 1 : step.draws === undefined ? step.calls.length : unrolled(step).length), 0);

const ofCase = (subject: Case): Prey => ({
  subject,
  policy: policyOf(subject.seed, subject.work),
  limit: STEP_LIMIT,
  steps: sizeOf(subject.program),
  shrink: (fails) => {
    const preyOf = (program: Program): Prey => ofCase(caseOf(program, subject.seed, subject.work));
    return preyOf(shrinkProgram(subject.program, (program) => fails(preyOf(program))));
  },
});

/** A turn of a 32-bit guest, short enough that its state is seen on the way. */
const PV32_SLICE = 400;

const ofPv32 = (program: Pv32Program): Prey => {
  const role = roleOfSeed(program.seed);
  return {
    subject: pv32Subject(program, role, REFERENCE_RELEASE),
    policy: { ...DEFAULT_POLICY, slice: PV32_SLICE, seed: program.seed, ...(program.seed % 3 === 0 ? { preempt: 3 } : {}) },
    limit: PV32_LIMIT,
    steps: program.steps.length,
    shrink: (fails) => ofPv32(shrinkPv32(program, (less) => fails(ofPv32(less)))),
  };
};

const ofCrowd = (crowd: Crowd): Prey => ({
  subject: crowdSubject(crowd),
  policy: crowdPolicy(crowd),
  limit: CROWD_LIMIT,
  steps: crowd.programs.reduce((sum, program) => sum + sizeOf(program), 0),
  shrink: (fails) => ofCrowd(shrinkCrowd(crowd, (less) => fails(ofCrowd(less)))),
});

export const preyOf = ({ kind, seed }: Attempt): Prey => {
  switch (kind) {
    case 'mixed':
    case 'dense':
      return ofCase(caseOfSeed(seed, kind));
    case 'pv32':
      return ofPv32(drawProgram(seed, firstFrameOf(roleOfSeed(seed)), LENGTH));
    case 'crowd':
      return ofCrowd(drawCrowd(seed, CROWD_SIZES[seed % CROWD_SIZES.length]!, DRAWS));
  }
};
