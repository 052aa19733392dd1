/**
 * Long operations stopped on purpose. A program runs undisturbed first; then again and again with one question whether to stop answered yes, and with
 * all of them. Whoever lets a call come again must end as if it had not stopped (clause `hypercall/continuation-anywhere`): same console, same end, same
 * machine. Both engines do each run in lockstep.
 */
import type { Engine } from '#spec/engine.ts';
import type { Input } from '#spec/input.ts';
import type { Program } from '#spec/program.ts';
import type { Difference } from '../compare/difference.ts';
import { applyInput, bootPair, compareEndings, compareMachines, type Pair } from '../compare/lockstep.ts';
import type { DenseOptions } from '../generators/index.ts';
import { caseOf } from './case.ts';
import { Environment, type Policy } from './environment.ts';
import { type Ended, runsApart } from './preemption_compare.ts';

/** Time stands still, so that a step more or less changes nothing that a guest can see. */
const STILL: Policy = { slice: 20_000, nsPerStep: 0, seed: 0 };
const STEP_LIMIT = 3_000_000;
/**
 * More questions than an input can ask; one of 64 is left out, because a reset of event channels that is always stopped never gets further (finding
 * F-162).
 */
const ALL = 20_000;
export const EVERY: readonly number[] = Array.from({ length: ALL }, (_, i) => i + 1).filter((n) => n % 64 !== 0);

/**
 * Generated programs that tell, of one domain and of two. Multicalls are those of a table's calls, whose entries the guest puts back: what is left in an
 * entry of a call that stopped would be another call when it is made again.
 */
export const PREEMPTIBLE: Partial<DenseOptions> = { multicalls: false };

/** Which questions are answered yes: the n-th of the whole run, from 1; all; or none. */
export type Forced = number | 'all' | null;

/** What parted the engines, or a run from the undisturbed one. */
export type Parted = { readonly forced: Forced; readonly between: 'engines' | 'runs'; readonly difference: Difference };

const forcedIn = (forced: Forced, before: number, at: number, questions: readonly number[]): readonly number[] => {
  if (forced === null) return [];
  if (forced === 'all') return EVERY;
  const inside = forced - before;
  // Up to the stop the run is the undisturbed one, so its counts are known.
  return inside >= 1 && inside <= (questions[at] ?? 0) ? [inside] : [];
};

/** Both engines, input by input; the reference stays for a comparison. `known`: questions of the undisturbed run's inputs. */
const run = (pair: Pair, program: Program, forced: Forced, known: readonly number[]): Ended | Difference => {
  const booted = bootPair(pair, caseOf(program, 0));
  if (!Array.isArray(booted)) throw new Error('a generated program does not boot');
  const engines = booted as readonly [Engine, Engine];
  const [reference, other] = engines;
  const environment = new Environment(STILL, STEP_LIMIT);
  const consoles: Record<number, string> = {};
  const questions: number[] = [];
  let asked = 0;
  const end = (finish: string): Ended => ({ finish, consoles, engine: reference, questions, steps: environment.retired });
  const give = (difference: Difference): Difference => {
    reference.dispose?.();
    return difference;
  };
  try {
    for (;;) {
      const next = environment.next(reference.status());
      if (typeof next === 'string') {
        const last = compareMachines(reference, other);
        return last ? give(last.difference) : end(next);
      }
      const preempt = next.kind === 'execute' ? forcedIn(forced, asked, questions.length, known) : [];
      const input: Input = next.kind === 'execute' && preempt.length > 0 ? { ...next, preempt: [...preempt] } : next;
      const expected = applyInput(reference, input);
      const found = compareEndings(expected, applyInput(other, input));
      if (found) return give(found.difference);
      if (expected.kind !== 'report') return end(expected.kind === 'not_modelled' ? expected.what : expected.kind);
      environment.account(input, expected.report.retired);
      for (const event of expected.report.events)
        if (event.kind === 'console') consoles[event.domid] = (consoles[event.domid] ?? '') + event.bytes;
      questions.push(expected.report.questions ?? 0);
      asked += expected.report.questions ?? 0;
    }
  } finally {
    other.dispose?.();
  }
};

const isDifference = (result: Ended | Difference): result is Difference => 'path' in result;

export type Preempted = {
  /** Questions of the undisturbed run, and how many runs were stopped somewhere. */
  readonly questions: number;
  readonly runs: number;
  readonly finish: string;
  readonly parted: readonly Parted[];
};

/** At most `most` single questions are tried, spread over all of them; every one where there are no more. */
export const checkPreemption = (pair: Pair, program: Program, most = Number.POSITIVE_INFINITY): Preempted => {
  const undisturbed = run(pair, program, null, []);
  if (isDifference(undisturbed))
    return { questions: 0, runs: 0, finish: '', parted: [{ forced: null, between: 'engines', difference: undisturbed }] };
  const questions = undisturbed.questions.reduce((sum, n) => sum + n, 0);
  const stride = Math.max(1, Math.ceil(questions / most));
  const singles = Array.from({ length: Math.ceil(questions / stride) }, (_, i) => 1 + i * stride);
  const parted: Parted[] = [];
  const stops: readonly Forced[] = questions === 0 ? [] : ['all', ...singles];
  for (const forced of stops) {
    const again = run(pair, program, forced, undisturbed.questions);
    if (isDifference(again)) parted.push({ forced, between: 'engines', difference: again });
    else {
      const difference = runsApart(undisturbed, again);
      again.engine.dispose?.();
      if (difference) parted.push({ forced, between: 'runs', difference });
    }
  }
  undisturbed.engine.dispose?.();
  return { questions, runs: stops.length, finish: undisturbed.finish, parted };
};
