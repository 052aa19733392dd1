/**
 * The environment of a run: it answers everything that the specification leaves open (who runs next, when time passes) by
 * inputs, from an engine's Status alone, so that two engines given the same policy see the same inputs.
 */
import type { Status } from '#spec/engine.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Input } from '#spec/input.ts';

export type Policy = {
  /** Most steps of one `execute` input. */
  readonly slice: number;
  /** Nanoseconds of system time that a retired step takes. */
  readonly nsPerStep: number;
  /** Seeds the choice among runnable vCPUs; 0 takes them in turn. */
  readonly seed: number;
  /** Of so many slices one has questions of long operations answered yes, chosen by the seed; absent: none. */
  readonly preempt?: number | undefined;
  /** Of so many rounds of the processors one begins with bytes typed at Xen's console, chosen by the seed; absent: none. */
  readonly typed?: number | undefined;
};

export const DEFAULT_POLICY: Policy = { slice: 10_000, nsPerStep: 1, seed: 0 };

/**
 * System time in nanoseconds at which the first guest runs: Xen itself has been up for a while by then (3 s on the reference
 * machine), so that a time near zero is past to a guest.
 */
export const BOOT_NS = 3_000_000_000;

/** Inputs in a row in which no guest executes anything: a machine that needs more of them will never go on. */
const MOST_BARREN_INPUTS = 1_000_000;

/** What somebody types, one character a byte. */
const TYPED = 'xen\n\u00ff';

/** Why no further input makes sense. `idle`: every vCPU waits and no timer is armed, or only one that is farther away than the environment's patience. */
export type Finish = 'halted' | 'idle' | 'limit';

const sameVcpu = (a: VcpuRef | null, b: VcpuRef | null): boolean =>
  a === b || (a !== null && b !== null && a.domid === b.domid && a.vcpu === b.vcpu);

export class Environment {
  private readonly policy: Policy;
  readonly limit: number;
  private readonly patience: number;
  private spent = 0;
  private turn = 0;
  private random: number;
  /** Steps retired since the last time input. */
  private owed = 0;
  /** Inputs since the last retired step. */
  private barren = 0;
  /** Whether this round began with typing. */
  private hasTyped = false;
  private pending: Input[] = [{ kind: 'time', now: BOOT_NS }];

  /** `limit`: steps in all. `patience`: nanoseconds for which it waits when all vCPUs do; months, when nobody says how many. */
  constructor(policy: Policy = DEFAULT_POLICY, limit = Number.MAX_SAFE_INTEGER, patience = Number.MAX_SAFE_INTEGER) {
    this.policy = policy;
    this.limit = limit;
    this.patience = patience;
    this.random = policy.seed | 0;
  }

  /** Steps retired so far. */
  get retired(): number {
    return this.spent;
  }

  /** The next input for a machine in this state, or why there is none. */
  next(status: Status): Input | Finish {
    if (status.halted !== null) return 'halted';
    if (this.spent >= this.limit || this.barren >= MOST_BARREN_INPUTS) return 'limit';
    const queued = this.dequeue(status);
    if (queued) return queued;
    if (this.owed > 0) {
      const now = status.now + Math.ceil(this.owed * this.policy.nsPerStep);
      this.owed = 0;
      return { kind: 'time', now };
    }
    if (status.runnable.length === 0) {
      const { deadline, now } = status;
      if (deadline === null || deadline > Number.MAX_SAFE_INTEGER || deadline - now > this.patience) return 'idle';
      return { kind: 'time', now: Math.max(now, deadline) };
    }
    const { typed } = this.policy;
    if (typed && !this.hasTyped && this.draw(typed) === 0) {
      this.hasTyped = true;
      return { kind: 'console_input', bytes: TYPED };
    }
    this.hasTyped = false;
    return this.dispatch(status);
  }

  /** Tell how many steps the input took. */
  account(input: Input, retired: number): void {
    this.spent += retired;
    this.barren = retired > 0 ? 0 : this.barren + 1;
    if (input.kind === 'execute') this.owed += Math.max(retired, 1);
  }

  /** A queued switch to a vCPU that stopped being runnable meanwhile is dropped, and its slice with it. */
  private dequeue(status: Status): Input | undefined {
    for (;;) {
      const input = this.pending.shift();
      if (input?.kind !== 'schedule' || input.vcpu === null) return input;
      if (status.runnable.some((v) => sameVcpu(v, input.vcpu))) return input;
      this.pending = this.pending.filter((i) => !(i.kind === 'execute' && i.cpu === input.cpu));
    }
  }

  /** Give every CPU a vCPU in turn and run them one slice each. */
  private dispatch(status: Status): Input {
    let waiting = [...status.runnable];
    const cpus = status.current.length;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const able = waiting.filter((v) => status.pinned?.every((p) => p.cpu === cpu || !sameVcpu(p.vcpu, v)) ?? true);
      const vcpu = able.length > 0 ? able[this.choose(able.length)]! : null;
      waiting = waiting.filter((v) => v !== vcpu);
      if (!sameVcpu(status.current[cpu]!, vcpu)) {
        // A vCPU that moves must leave its old CPU first.
        const old = status.current.findIndex((c, i) => i !== cpu && vcpu !== null && sameVcpu(c, vcpu));
        if (old >= 0) this.pending.push({ kind: 'schedule', cpu: old, vcpu: null });
        this.pending.push({ kind: 'schedule', cpu, vcpu });
      }
      if (vcpu) this.pending.push(this.slice(cpu));
    }
    return this.pending.shift()!;
  }

  private slice(cpu: number): Input {
    const input: Input = { kind: 'execute', cpu, steps: Math.min(this.policy.slice, this.limit - this.spent) };
    const { preempt } = this.policy;
    return preempt && this.draw(preempt) === 0 ? { ...input, preempt: this.questions() } : input;
  }

  /** Some questions, ascending: one of the first few, and then ever further apart, because a page table asks hundreds. */
  private questions(): number[] {
    const all: number[] = [];
    let last = 0;
    for (let n = this.draw(12); n >= 0; n--) {
      last += 1 + this.draw(2 << this.draw(10));
      all.push(last);
    }
    return all;
  }

  private choose(count: number): number {
    if (count === 1) return 0;
    if (this.policy.seed === 0) return this.turn++ % count;
    return this.draw(count);
  }

  private draw(count: number): number {
    this.random = (Math.imul(this.random, 1664525) + 1013904223) | 0;
    return (this.random >>> 8) % count;
  }
}
