/** Two engines on one input stream: events compared after every input, observations at every checkpoint. */

import type { MachineConfig } from '#spec/config.ts';
import type { Boot, Engine, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { DEFAULT_POLICY, Environment, type Finish, type Policy } from '../campaign/environment.ts';
import { type Difference, firstDifference } from './difference.ts';
import { faultName, Watch } from './watch.ts';

/** What to run, and on which pair. The first engine is the reference. */
export type Pair = { readonly reference: Boot; readonly subject: Boot };
export type Subject = { readonly config: MachineConfig; readonly images: readonly Uint8Array[] };

/** How an input ended on one engine: a report, or a failure by name. */
export type Ending =
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'not_modelled'; readonly what: string; readonly before: Report | null }
  | { readonly kind: 'bad_input'; readonly message: string }
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string };

export type Divergence = {
  /** Inputs applied before the one that parted the engines, and that input (narrowed to its last step by `locate`). */
  readonly inputs: readonly Input[];
  readonly last: Input;
  readonly aspect: 'boot' | 'ending' | 'events' | 'retired' | 'questions' | 'status' | 'observation' | 'invariant';
  readonly difference: Difference;
  /** Clauses that the reference cited in the last input. */
  readonly clauses: readonly string[];
};

export type Agreement = {
  readonly finish: Finish | 'not_modelled';
  readonly what: string | null;
  readonly halted: number | null;
  readonly retired: number;
  readonly hypercalls: number;
  /** Elements of batched hypercalls. */
  readonly elements: number;
  readonly observations: number;
  /** Transitions after which the invariants were looked at. */
  readonly looks: number;
  readonly clauses: readonly string[];
};

export type Verdict =
  | { readonly agree: true; readonly agreement: Agreement; readonly events: readonly Event[] }
  | { readonly agree: false; readonly divergence: Divergence };

export type LockstepOptions = {
  readonly policy?: Policy;
  readonly limit?: number;
  /** Compare observations after every so many inputs; 1 = after each. */
  readonly observeEvery?: number;
  /**
   * Look at the invariants whenever observations were compared. The machines are alike then, by all that is observed and by digests of memory and frames,
   * so that one picture is both of theirs; the work of each is its own.
   */
  readonly watch?: boolean;
};

export const applyInput = (engine: Engine, input: Input): Ending => {
  try {
    return { kind: 'report', report: engine.apply(input) };
  } catch (error) {
    if (error instanceof NotModelled) return { kind: 'not_modelled', what: error.what, before: error.before };
    if (error instanceof BadInput) return { kind: 'bad_input', message: error.message };
    const e = error as Error;
    return { kind: 'bug', message: String(e.message ?? e), stack: String(e.stack ?? '') };
  }
};

type StoppedEnding = Extract<Ending, { kind: 'not_modelled' }>;
const partedBefore = (expected: StoppedEnding, seen: StoppedEnding): Pick<Divergence, 'aspect' | 'difference'> | null => {
  const events = firstDifference(expected.before?.events, seen.before?.events, 'events');
  return events ? { aspect: 'events', difference: events } : null;
};

/** What differs between two endings of the same input, and in which aspect. */
export const compareEndings = (expected: Ending, seen: Ending): Pick<Divergence, 'aspect' | 'difference'> | null => {
  if (expected.kind !== 'report' || seen.kind !== 'report') {
    if (expected.kind === 'not_modelled' && seen.kind === 'not_modelled' && expected.what === seen.what)
      return partedBefore(expected, seen);
    const show = (e: Ending) =>
      e.kind === 'report'
        ? 'went on'
        : e.kind === 'not_modelled'
          ? `not modelled: ${e.what}`
          : `${e.kind === 'bug' ? faultName : e.kind}: ${e.message}`;
    return { aspect: 'ending', difference: { path: 'ending', expected: show(expected), seen: show(seen) } };
  }
  const events = firstDifference(expected.report.events, seen.report.events, 'events');
  if (events) return { aspect: 'events', difference: events };
  const retired = firstDifference(expected.report.retired, seen.report.retired, 'retired');
  return retired ? { aspect: 'retired', difference: retired } : compareQuestions(expected.report, seen.report);
};

/** An engine need not count them. */
const compareQuestions = (expected: Report, seen: Report): Pick<Divergence, 'aspect' | 'difference'> | null => {
  if (expected.questions === undefined || seen.questions === undefined) return null;
  const questions = firstDifference(expected.questions, seen.questions, 'questions');
  return questions ? { aspect: 'questions', difference: questions } : null;
};

/** What differs between the two machines' observations and statuses. Digests that differ are resolved to a page or frame. */
export const compareMachines = (expected: Engine, seen: Engine): Pick<Divergence, 'aspect' | 'difference'> | null => {
  const status = firstDifference(expected.status(), seen.status(), 'status');
  if (status) return { aspect: 'status', difference: status };
  const observation = firstDifference(expected.observe(), seen.observe());
  if (!observation) return null;
  if (observation.path === 'memory') return { aspect: 'observation', difference: firstPage(expected, seen) ?? observation };
  if (observation.path === 'frames') return { aspect: 'observation', difference: firstFrame(expected, seen) ?? observation };
  return { aspect: 'observation', difference: observation };
};

const firstPage = (expected: Engine, seen: Engine): Difference | null => {
  const frames = [...new Set([...expected.populated(), ...seen.populated()])].sort((a, b) => a - b);
  for (const mfn of frames) {
    const a = expected.page(mfn);
    const b = seen.page(mfn);
    for (let at = 0; at < 4096; at += 8) {
      for (let i = 0; i < 8; i++) {
        if (a[at + i] === b[at + i]) continue;
        const word = (p: Uint8Array) =>
          `0x${[...p.subarray(at, at + 8)]
            .reverse()
            .map((x) => x.toString(16).padStart(2, '0'))
            .join('')}`;
        return { path: `memory[mfn 0x${mfn.toString(16)} + 0x${at.toString(16)}]`, expected: word(a), seen: word(b) };
      }
    }
  }
  return null;
};

const firstFrame = (expected: Engine, seen: Engine): Difference | null => {
  const a = new Map([...expected.frames()].map((f) => [f.mfn, f]));
  const b = new Map([...seen.frames()].map((f) => [f.mfn, f]));
  for (const mfn of [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => x - y)) {
    const d = firstDifference(a.get(mfn), b.get(mfn), `frame[mfn 0x${mfn.toString(16)}]`);
    if (d) return d;
  }
  return null;
};

/** Boot one subject on both engines; a failure to boot must be the same on both. */
export const bootPair = (pair: Pair, subject: Subject): readonly [Engine, Engine] | Divergence => {
  const boot = (b: Boot): Engine | string => {
    try {
      return b(subject.config, subject.images);
    } catch (error) {
      const e = error as Error;
      return `${e.name}: ${e.message}`;
    }
  };
  const a = boot(pair.reference);
  const b = boot(pair.subject);
  if (typeof a !== 'string' && typeof b !== 'string') return [a, b];
  const show = (x: Engine | string) => (typeof x === 'string' ? x : 'booted');
  return {
    inputs: [],
    last: { kind: 'time', now: 0 },
    aspect: 'boot',
    difference: { path: 'boot', expected: show(a), seen: show(b) },
    clauses: [],
  };
};

/** Run a subject on both engines to its end. The verdict holds every event of the reference when they agree. */
export const lockstep = (pair: Pair, subject: Subject, options: LockstepOptions = {}): Verdict => {
  const booted = bootPair(pair, subject);
  if (!Array.isArray(booted)) return { agree: false, divergence: booted as Divergence };
  const engines = booted as readonly [Engine, Engine];
  try {
    return compareRuns(engines, subject.config, options);
  } finally {
    for (const engine of engines) engine.dispose?.();
  }
};

/** What of the two machines, found alike, is not in order. */
const outOfOrder = (watch: Watch, ...reports: readonly Report[]): Pick<Divergence, 'aspect' | 'difference'> | null => {
  const broken = watch.first(...reports);
  return broken && { aspect: 'invariant', difference: { path: broken.invariant, expected: 'holds', seen: broken.what } };
};

const compareRuns = ([reference, other]: readonly [Engine, Engine], config: MachineConfig, options: LockstepOptions): Verdict => {
  const environment = new Environment(options.policy ?? DEFAULT_POLICY, options.limit);
  const every = options.observeEvery ?? 1;
  const inputs: Input[] = [];
  const events: Event[] = [];
  const clauses = new Set<string>();
  let hypercalls = 0;
  let elements = 0;
  let observations = 0;
  let looks = 0;
  // The second engine: an executor knows which pages are as they were.
  const watch = options.watch ? new Watch(config, other) : null;

  const diverged = (last: Input, found: Pick<Divergence, 'aspect' | 'difference'>, ending: Ending | null): Verdict => ({
    agree: false,
    divergence: { inputs, last, ...found, clauses: ending?.kind === 'report' ? (ending.report.clauses ?? []) : [] },
  });
  const agreed = (finish: Finish | 'not_modelled', what: string | null): Verdict => ({
    agree: true,
    events,
    agreement: {
      finish,
      what,
      halted: reference.status().halted,
      retired: environment.retired,
      hypercalls,
      elements,
      observations,
      looks,
      clauses: [...clauses],
    },
  });

  const atBoot = compareMachines(reference, other) ?? (watch && outOfOrder(watch));
  if (atBoot) return diverged({ kind: 'time', now: 0 }, atBoot, null);
  for (;;) {
    const input = environment.next(reference.status());
    if (typeof input === 'string') {
      const found = compareMachines(reference, other);
      return found ? diverged(inputs.pop() ?? { kind: 'time', now: 0 }, found, null) : agreed(input, null);
    }
    const expected = applyInput(reference, input);
    const seen = applyInput(other, input);
    const found = compareEndings(expected, seen);
    if (found) return diverged(input, found, expected);
    if (expected.kind !== 'report' || seen.kind !== 'report')
      return agreed('not_modelled', expected.kind === 'not_modelled' ? expected.what : null);
    watch?.cited(expected.report.clauses);
    environment.account(input, expected.report.retired);
    for (const event of expected.report.events) {
      events.push(event);
      if (event.kind === 'hypercall') hypercalls++;
      else if (event.kind === 'operation') elements++;
    }
    for (const clause of expected.report.clauses ?? []) clauses.add(clause);
    if ((inputs.length + 1) % every === 0) {
      observations++;
      const parted = compareMachines(reference, other) ?? (watch && outOfOrder(watch, expected.report, seen.report));
      if (parted) return diverged(input, parted, expected);
      if (watch) looks++;
    }
    inputs.push(input);
  }
};
