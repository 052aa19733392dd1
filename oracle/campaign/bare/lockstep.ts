/**
 * Two bare machines side by side on one image: the same inputs, and after each slice the same events, registers, devices and, now and
 * then, memory. When they part, both start again and come to the one instruction where it happens.
 */
import type { BareConfig, BareEvent, BareMachine, BootBare } from '#spec/bare/machine.ts';
import { NotModelled } from '#spec/failure.ts';
import { type Difference, firstDifference } from '../../compare/difference.ts';

export type BarePair = { readonly reference: BootBare; readonly subject: BootBare };

export type BareLockstepOptions = {
  readonly config: BareConfig;
  readonly image: Uint8Array;
  /** Instructions to run at most. */
  readonly steps: number;
  /** Instructions between two comparisons. */
  readonly slice?: number;
  /** Slices between two comparisons of memory. */
  readonly memoryEvery?: number;
  readonly onSteps?: (steps: number) => void;
  /** What the image says, as it says it. */
  readonly onOutput?: (bytes: string) => void;
};

/** Where the two part. `step`: instructions that both had carried out alike; `rip`: of the one that follows. */
export type BareDifference = Difference & { readonly step: number; readonly rip: string };

/** Why the run ended: asked for no more, the image ended it, it waits for what never comes, neither machine models it. */
export type BareEnd = 'steps' | 'ended' | 'halted' | { readonly notModelled: string } | { readonly difference: BareDifference };
export type BareLockstep = { readonly steps: number; readonly now: number; readonly end: BareEnd };

const SLICE = 100_000;
const MEMORY_EVERY = 50;
const INTERRUPT_FLAG = 0x200n;

/** Time passes at one instruction a ns, and jumps to the next deadline while the processor stands halted. */
const timeAfter = (machine: BareMachine, now: number, retired: number): number => {
  const { halted, deadline } = machine.status();
  return halted && deadline !== null ? Math.max(now + retired, deadline) : now + retired;
};

type Told = { readonly events: readonly BareEvent[]; readonly retired: number; readonly notModelled: string | null };

const execute = (machine: BareMachine, steps: number): Told => {
  try {
    const { events, retired } = machine.apply({ kind: 'execute', steps });
    return { events, retired, notModelled: null };
  } catch (thrown) {
    if (!(thrown instanceof NotModelled)) throw thrown;
    const before = thrown.bareBefore;
    return { events: before?.events ?? [], retired: before?.retired ?? 0, notModelled: thrown.what };
  }
};

/** Everything but memory, which costs more to look at. */
const seen = (machine: BareMachine) => {
  const { memory: _, ...rest } = machine.observe();
  return { ...rest, status: machine.status() };
};

class Run {
  private readonly reference: BareMachine;
  private readonly subject: BareMachine;
  now = 0;
  steps = 0;
  end: BareEnd | null = null;

  constructor({ reference, subject }: BarePair, { config, image }: BareLockstepOptions) {
    this.reference = reference(config, image);
    this.subject = subject(config, image);
  }

  /** RFLAGS.IF: no device here raises an NMI by itself. */
  private get interruptible(): boolean {
    return (BigInt(this.reference.observe().cpu.rflags) & INTERRUPT_FLAG) !== 0n;
  }

  get rip(): string {
    return this.reference.observe().cpu.rip;
  }

  /** One slice on both; the events of the reference. */
  advance(slice: number, memory: boolean): readonly BareEvent[] {
    const { reference, subject } = this;
    const [expected, found] = [execute(reference, slice), execute(subject, slice)];
    const told = firstDifference(expected, found);
    // Where something is not modelled the run is over: what the machines then hold, of a slice that never ended, means nothing.
    const over = expected.notModelled !== null;
    const state = told ?? (over ? null : firstDifference(seen(reference), seen(subject)));
    const difference = state ?? (memory ? firstDifference(reference.observe().memory, subject.observe().memory, 'memory') : null);
    if (difference) {
      this.end = { difference: { ...difference, step: this.steps, rip: '' } };
      return [];
    }
    this.steps += expected.retired;
    if (expected.notModelled !== null) this.end = { notModelled: expected.notModelled };
    else this.pass(expected.retired);
    return expected.events;
  }

  private pass(retired: number): void {
    const { ended, halted, deadline } = this.reference.status();
    if (ended !== null) this.end = 'ended';
    else if (halted && (deadline === null || !this.interruptible)) this.end = 'halted';
    else {
      this.now = timeAfter(this.reference, this.now, retired);
      for (const machine of [this.reference, this.subject]) machine.apply({ kind: 'time', now: this.now });
    }
  }
}

const endOf = ({ end }: Run): BareEnd => end ?? 'steps';

/**
 * Come again to the last slice on which both agreed, and go on from there in slices of one. A difference that does not come back in
 * small slices is told as it was found.
 */
const locate = (pair: BarePair, options: BareLockstepOptions, slice: number, slices: number, found: BareDifference): BareDifference => {
  const run = new Run(pair, options);
  for (let n = 0; n < slices; n++) run.advance(slice, false);
  for (let n = 0; n <= slice && run.end === null; n++) {
    const { rip, steps } = run;
    run.advance(1, true);
    const end = endOf(run);
    if (typeof end === 'object' && 'difference' in end) return { ...end.difference, step: steps, rip };
  }
  return found;
};

/** Run both until they part, the image ends, or the steps are done. */
export const bareLockstep = (pair: BarePair, options: BareLockstepOptions): BareLockstep => {
  const { steps, slice = SLICE, memoryEvery = MEMORY_EVERY, onSteps, onOutput } = options;
  const run = new Run(pair, options);
  let slices = 0;
  while (run.end === null && run.steps < steps) {
    const before = run.steps;
    const events = run.advance(Math.min(slice, steps - before), slices % memoryEvery === memoryEvery - 1);
    for (const event of events) if (event.kind === 'serial' || event.kind === 'debugcon') onOutput?.(event.bytes);
    onSteps?.(run.steps - before);
    if (endOf(run) === 'steps') slices++;
  }
  const end = endOf(run);
  if (typeof end === 'object' && 'difference' in end)
    return { steps: run.steps, now: run.now, end: { difference: locate(pair, options, slice, slices, end.difference) } };
  return { steps: run.steps, now: run.now, end };
};
