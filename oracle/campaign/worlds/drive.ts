/** Two worlds side by side: the same inputs to both, and after each of them a look through the eyes of the domain that must not see a difference. */
import type { Boot, Engine, Report, Status } from '#spec/engine.ts';
import type { Event, VcpuRef } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { type ChangingFlowId, difference, Eye, type Glimpse, localRespect } from '#spec/properties/worlds/index.ts';
import { BOOT_NS } from '../environment.ts';
import { Draw } from '../pv32/draw.ts';
import { worldOf } from './image.ts';
import type { Pair } from './pair.ts';

/** The unwinding conditions (spec/chapters/isolation.md), and `total`: an engine failed. */
export type Condition = 'output' | 'step' | 'local' | 'total';
export type Leak = {
  readonly condition: Condition;
  /** What the domain sees that it must not, in one line. */
  readonly what: string;
  /** Inputs before the one that did it, and that one. */
  readonly inputs: readonly Input[];
};

export type Drive = {
  readonly leak: Leak | null;
  readonly transitions: number;
  readonly hypercalls: number;
  readonly retired: number;
  readonly flows: ReadonlySet<ChangingFlowId>;
  /** Why it ended before its time: something that is not modelled, or the worlds could not be given the same input. */
  readonly stop: string | null;
};

/** Acts are over after some 200; what still runs then wakes itself up again and again. */
const MOST_INPUTS = 400;
const LONGEST_TURN = 24;
/** What comes before the first act is the same in every pair, and is gone through with longer turns. */
const LONGEST_FIRST_TURN = 120;
const FIRST_TURNS = 8;
const TIME_EVERY = 6;
const NS_PER_TURN = 40_000;

/** Who runs when, drawn from a seed and the first world's status. */
class Scheduler {
  private readonly draw: Draw;
  private next: Input | null = null;
  private turns = 0;

  constructor(seed: number) {
    this.draw = new Draw(seed ^ 0x3c3c, 0);
  }

  input({ now, runnable, current, pinned }: Status): Input | null {
    const { next } = this;
    this.next = null;
    if (next !== null) return next;
    if (runnable.length === 0) return null;
    if (this.draw.below(TIME_EVERY) === 0) return { kind: 'time', now: now + 1 + this.draw.below(NS_PER_TURN) };
    const vcpu = runnable[this.draw.below(runnable.length)]!;
    const at = current.findIndex((one) => isSame(one, vcpu));
    const only = pinned?.find((one) => isSame(one.vcpu, vcpu))?.cpu;
    const cpu = at >= 0 ? at : (only ?? this.draw.below(current.length));
    const longest = this.turns++ < FIRST_TURNS ? LONGEST_FIRST_TURN : LONGEST_TURN;
    const turn: Input = { kind: 'execute', cpu, steps: 1 + this.draw.below(longest) };
    if (at === cpu) return turn;
    this.next = turn;
    return { kind: 'schedule', cpu, vcpu };
  }
}
const isSame = (a: VcpuRef | null, b: VcpuRef): boolean => a !== null && a.domid === b.domid && a.vcpu === b.vcpu;

const ofDomain = (event: Event, domid: number): boolean =>
  'at' in event ? event.at.domid === domid : 'domid' in event && event.domid === domid;
const seenBy = (domid: number, { events }: Report): string => JSON.stringify(events.filter((event) => ofDomain(event, domid)));

/** The other world's name for a vCPU. */
const renamed = (pair: Pair, { domid, vcpu }: VcpuRef): VcpuRef => ({ domid: pair.domids[1][pair.domids[0].indexOf(domid)]!, vcpu });
const inSecond = (pair: Pair, input: Input): Input =>
  input.kind === 'schedule' && input.vcpu !== null ? { ...input, vcpu: renamed(pair, input.vcpu) } : input;

const failure = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

class Run {
  private readonly pair: Pair;
  private readonly engines: readonly [Engine, Engine];
  private readonly eyes: readonly [Eye, Eye];
  private readonly scheduler: Scheduler;
  private readonly observer: number;
  private readonly inputs: Input[] = [];
  private readonly flows = new Set<ChangingFlowId>();
  private hypercalls = 0;
  private retired = 0;

  constructor(boot: Boot, pair: Pair) {
    const subjects = [worldOf(pair, 0), worldOf(pair, 1)] as const;
    this.pair = pair;
    this.observer = pair.domids[0][pair.observer]!;
    this.scheduler = new Scheduler(pair.schedule);
    const [a, b] = subjects.map(({ config, images }) => boot(config, images)) as [Engine, Engine];
    this.engines = [a, b];
    this.eyes = [new Eye(a, subjects[0].config, this.observer), new Eye(b, subjects[1].config, pair.domids[1][pair.observer]!)];
  }

  toEnd(): Drive {
    try {
      const atBoot = this.look();
      if (atBoot) return this.ended({ condition: 'output', what: `at boot: ${atBoot}`, inputs: [] });
      this.apply({ kind: 'time', now: BOOT_NS });
      while (this.inputs.length < MOST_INPUTS) {
        const input = this.scheduler.input(this.engines[0].status());
        if (input === null || this.eyes[0].domain === null) break;
        const leak = this.apply(input);
        if (leak) return this.ended(leak);
      }
      return this.ended(null);
    } catch (error) {
      if (error instanceof NotModelled) return this.ended(null, error.what);
      // Not to be scheduled in one world only.
      if (error instanceof BadInput) return this.ended(null, 'schedules part');
      return this.ended({ condition: 'total', what: failure(error), inputs: this.inputs });
    } finally {
      for (const engine of this.engines) engine.dispose?.();
    }
  }

  private ended(leak: Leak | null, stop: string | null = null): Drive {
    const { inputs, hypercalls, retired, flows } = this;
    return { leak, transitions: inputs.length, hypercalls, retired, flows, stop };
  }

  private look(): string | null {
    const [a, b] = this.eyes;
    a.look();
    b.look();
    return difference(a, b);
  }

  private apply(input: Input): Leak | null {
    const { engines, eyes, pair, observer } = this;
    const actor = input.kind === 'execute' ? (engines[0].status().current[input.cpu]?.domid ?? null) : null;
    const last: Glimpse = { domain: eyes[0].domain, own: eyes[0].own };
    this.inputs.push(input);
    const first = engines[0].apply(input);
    const second = engines[1].apply(inSecond(pair, input));
    this.retired += first.retired;
    const calls = first.events.flatMap((event) => (event.kind === 'hypercall' ? [event.call] : []));
    this.hypercalls += calls.length;
    const leak = (condition: Condition, what: string): Leak => ({ condition, what, inputs: this.inputs });
    if (seenBy(observer, first) !== seenBy(observer, second)) return leak('output', this.events(first, second));
    const seen = this.look();
    if (seen) return leak('step', seen);
    if (actor === null || actor === observer) return null;
    const { flows, leak: what } = localRespect(last, eyes[0], actor, calls);
    for (const flow of flows) this.flows.add(flow);
    return what === null ? null : leak('local', what);
  }

  private events(first: Report, second: Report): string {
    const [a, b] = [first, second].map(({ events }) => events.filter((event) => ofDomain(event, this.observer)));
    const at = a!.findIndex((event, i) => JSON.stringify(event) !== JSON.stringify(b![i]));
    return `event ${JSON.stringify(a![at] ?? null)} and in the other world ${JSON.stringify(b![at < 0 ? a!.length : at] ?? null)}`;
  }
}

/** Run a pair to its end, or to the first leak. */
export const drive = (boot: Boot, pair: Pair): Drive => new Run(boot, pair).toEnd();
