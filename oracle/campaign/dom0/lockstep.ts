/**
 * One long run of domain 0 on two engines: events after each input, everything that can be observed at checkpoints. A difference is followed to
 * its instruction from the last checkpoint: the reference is immutable and was kept there, the other engine is brought there again.
 */
import type { MachineConfig } from '#spec/config.ts';
import type { Boot, Engine } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { BadInput } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import type { Difference } from '../../compare/difference.ts';
import { applyInput, compareEndings, compareMachines } from '../../compare/lockstep.ts';
import { DEFAULT_POLICY, Environment, type Finish } from '../environment.ts';

/** An engine that can be left where it is and gone on with later. */
export type Kept = Engine & { readonly fork: () => Kept; readonly save: () => Uint8Array };
export type Dom0Pair = {
  readonly reference: (config: MachineConfig, image: Uint8Array) => Kept;
  readonly restore: (saved: Uint8Array) => Kept;
  readonly subject: Boot;
};

export type Dom0Options = {
  readonly config: MachineConfig;
  readonly image: Uint8Array;
  /** Instructions to run at most. */
  readonly steps: number;
  /** Inputs between two comparisons of all that can be observed. */
  readonly observeEvery?: number;
  /** Where an earlier run got: the reference as it was then, after so many inputs. The other engine comes there by itself. */
  readonly from?: { readonly reference: Kept; readonly inputs: number };
  /** Told at checkpoints, and at the end of the last input that a longer run makes too: from there a later run can go on. */
  readonly onCheckpoint?: (reference: Kept, inputs: number) => void;
  readonly onSteps?: (steps: number) => void;
  readonly onEvent?: (event: Event) => void;
};

/** `step`: instructions that both had carried out alike; `rip`: of the one that follows. */
export type Dom0Difference = Difference & { readonly step: number; readonly rip: string; readonly clauses: readonly string[] };
export type Dom0Lockstep = {
  readonly steps: number;
  readonly hypercalls: number;
  readonly observations: number;
  readonly now: number;
  /** Operations that a lenient machine answered with -ENOSYS, and how often. */
  readonly refused: Readonly<Record<string, number>>;
  readonly end: Finish | { readonly notModelled: string } | { readonly difference: Dom0Difference };
};

const OBSERVE_EVERY = 100;

type Parted = { readonly difference: Difference; readonly clauses: readonly string[] };
type Applied = {
  readonly events: readonly Event[];
  readonly retired: number;
  readonly parted: Parted | null;
  readonly stopped: string | null;
};

/** One input on both. */
const applyBoth = (reference: Engine, subject: Engine, input: Input, observe: boolean): Applied => {
  const expected = applyInput(reference, input);
  const seen = applyInput(subject, input);
  const report = expected.kind === 'report' ? expected.report : expected.kind === 'not_modelled' ? expected.before : null;
  const { events = [], retired = 0, clauses = [] } = report ?? {};
  const found = compareEndings(expected, seen);
  const stopped = expected.kind === 'not_modelled' ? expected.what : expected.kind === 'report' ? null : expected.message;
  const unlike = found ?? (observe && stopped === null ? compareMachines(reference, subject) : null);
  return { events, retired, stopped, parted: unlike && { difference: unlike.difference, clauses } };
};

const ripOf = (engine: Engine): string => engine.observe().domains[0]!.vcpus[0]!.rip;

/** A state that both share: the reference as it was, and how far the inputs had come. */
type Checkpoint = { readonly reference: Kept; readonly inputs: number; readonly steps: number };

class Run {
  private readonly environment: Environment;
  private readonly inputs: Input[] = [];
  private readonly options: Dom0Options;
  private readonly pair: Dom0Pair;
  private readonly reference: Kept;
  private readonly subject: Engine;
  private checkpoint: Checkpoint;
  /** The last slice before the limit is a shorter one, which a longer run would not make: a later run goes on before it. */
  private resumable: Omit<Checkpoint, 'steps'> | null = null;
  private hypercalls = 0;
  private observations = 0;
  private readonly refused: Record<string, number> = {};

  constructor(pair: Dom0Pair, options: Dom0Options) {
    this.pair = pair;
    this.options = options;
    this.environment = new Environment(DEFAULT_POLICY, options.steps);
    this.reference = options.from?.reference ?? pair.reference(options.config, options.image);
    this.subject = pair.subject(options.config, [options.image]);
    this.comeAgain(options.from?.inputs ?? 0);
    this.checkpoint = { reference: this.reference.fork(), inputs: this.inputs.length, steps: this.environment.retired };
  }

  /** Bring the other engine to where the reference was left. */
  private comeAgain(inputs: number): void {
    while (this.inputs.length < inputs) {
      const input = this.environment.next(this.subject.status());
      if (typeof input === 'string') throw new BadInput(`the run ended (${input}) before it came to where it was left`);
      this.inputs.push(input);
      const { retired } = this.subject.apply(input);
      this.environment.account(input, retired);
      this.options.onSteps?.(retired);
    }
    const parted = compareMachines(this.reference, this.subject);
    if (parted) throw new BadInput(`what was kept is of another run: ${parted.difference.path}`);
  }

  go(): Dom0Lockstep {
    const { observeEvery = OBSERVE_EVERY, onSteps, onEvent } = this.options;
    for (;;) {
      const input = this.environment.next(this.reference.status());
      if (typeof input === 'string') {
        const parted = compareMachines(this.reference, this.subject);
        return this.result(parted ? { difference: this.locate({ difference: parted.difference, clauses: [] }) } : input);
      }
      this.inputs.push(input);
      const observe = this.inputs.length % observeEvery === 0;
      const { events, retired, parted, stopped } = applyBoth(this.reference, this.subject, input, observe);
      if (parted) return this.result({ difference: this.locate(parted) });
      this.environment.account(input, retired);
      for (const event of events) {
        this.count(event);
        onEvent?.(event);
      }
      onSteps?.(retired);
      if (stopped !== null) return this.result({ notModelled: stopped });
      if (this.environment.retired < this.options.steps) this.resumable = { reference: this.reference.fork(), inputs: this.inputs.length };
      if (observe) {
        this.observations++;
        this.checkpoint = { reference: this.reference.fork(), inputs: this.inputs.length, steps: this.environment.retired };
        this.tellResumable();
      }
    }
  }

  private tellResumable(): void {
    if (this.resumable) this.options.onCheckpoint?.(this.resumable.reference, this.resumable.inputs);
  }

  private count(event: Event): void {
    if (event.kind === 'hypercall') this.hypercalls++;
    else if (event.kind === 'not_modelled') this.refused[event.what] = (this.refused[event.what] ?? 0) + 1;
  }

  private result(end: Dom0Lockstep['end']): Dom0Lockstep {
    const { hypercalls, observations, refused } = this;
    const now = this.reference.status().now;
    this.tellResumable();
    for (const engine of [this.reference, this.subject]) engine.dispose?.();
    return { steps: this.environment.retired, hypercalls, observations, now, refused, end };
  }

  /** From the last checkpoint on input by input, then through the input that parts them instruction by instruction. */
  private locate(found: Parted): Dom0Difference {
    const { reference, inputs, steps } = this.checkpoint;
    const subject = this.pair.subject(this.options.config, [this.options.image]);
    for (const input of this.inputs.slice(0, inputs)) subject.apply(input);
    let done = steps;
    for (const input of this.inputs.slice(inputs)) {
      const before = reference.fork();
      const { retired, parted } = applyBoth(reference, subject, input, true);
      if (parted) {
        subject.dispose?.();
        return input.kind === 'execute'
          ? this.singleStep(before, input, done, parted)
          : { ...parted.difference, ...this.at(before, done, parted) };
      }
      done += retired;
    }
    return { ...found.difference, ...this.at(reference, done, found) };
  }

  private at(engine: Engine, step: number, { clauses }: Parted): Pick<Dom0Difference, 'step' | 'rip' | 'clauses'> {
    return { step, rip: ripOf(engine), clauses };
  }

  /** `reference` stands before `last`; the other engine comes there once more. */
  private singleStep(reference: Kept, last: Extract<Input, { kind: 'execute' }>, steps: number, found: Parted): Dom0Difference {
    const subject = this.pair.subject(this.options.config, [this.options.image]);
    for (const input of this.inputs.slice(0, this.inputs.indexOf(last))) subject.apply(input);
    for (let n = 0; n < last.steps; n++) {
      const before = reference.fork();
      const { retired, parted } = applyBoth(reference, subject, { ...last, steps: 1 }, true);
      if (parted) return { ...parted.difference, ...this.at(before, steps + n, parted) };
      if (retired === 0) break;
    }
    return { ...found.difference, ...this.at(reference, steps, found) };
  }
}

/** Run both until they part, the machine ends, or the steps are done. */
export const dom0Lockstep = (pair: Dom0Pair, options: Dom0Options): Dom0Lockstep => new Run(pair, options).go();
