/** A machine of one vCPU that counts its steps, for tests of the judge: what it does at which step is what a test says. */
import type { Boot, Engine, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import type { FrameObservation, Observation } from '#spec/observation.ts';
import type { Stretch } from '#spec/work.ts';
import type { Subject } from '../lockstep.ts';

export const AT = { domid: 0, vcpu: 0 };
export const SUBJECT: Subject = { config: debian_4_17(), images: [Uint8Array.of(1)] };

export type Toy = {
  /** It halts after so many steps. */
  readonly end?: number;
  /** What a step brings about; steps are counted from 1. */
  readonly does?: (step: number) => readonly Event[];
  readonly cites?: (step: number) => readonly string[];
  readonly questions?: (steps: number) => number;
  readonly work?: (steps: number) => readonly Stretch[] | undefined;
  /** What is observed after so many steps. */
  readonly shows?: (steps: number) => Partial<Observation>;
  readonly frames?: readonly FrameObservation[];
  readonly pages?: Readonly<Record<number, Uint8Array>>;
  readonly disposed?: () => void;
};

const PAGE = new Uint8Array(4096);

class ToyEngine implements Engine {
  readonly name = 'toy';
  private readonly toy: Toy;
  private now = 0;
  private steps = 0;
  private runs = false;

  constructor(toy: Toy) {
    this.toy = toy;
  }

  apply(input: Parameters<Engine['apply']>[0]): Report {
    if (input.kind === 'time') this.now = input.now;
    if (input.kind === 'schedule') this.runs = input.vcpu !== null;
    const events: Event[] = [];
    const clauses: string[] = [];
    const before = this.steps;
    if (input.kind === 'execute' && this.runs)
      while (this.steps < before + input.steps && this.steps < this.end) {
        this.steps++;
        events.push(...(this.toy.does?.(this.steps) ?? []));
        clauses.push(...(this.toy.cites?.(this.steps) ?? []));
      }
    const retired = this.steps - before;
    const { cites, questions } = this.toy;
    const work = this.toy.work?.(this.steps);
    return { events, retired, ...(cites && { clauses }), ...(questions && { questions: questions(this.steps) }), ...(work && { work }) };
  }
  status() {
    const halted = this.steps >= this.end ? 0 : null;
    return { now: this.now, halted, current: [this.runs ? AT : null], runnable: [AT], deadline: null };
  }
  observe(): Observation {
    const { halted, current } = this.status();
    const cpus = current.map((vcpu) => ({ current: vcpu, holds: vcpu, flushes: 0 }));
    const plain = { now: this.now, retired: this.steps, halted, cpus, domains: [], memory: 'm', frames: 'f' };
    return { ...plain, ...this.toy.shows?.(this.steps) };
  }
  frames() {
    return this.toy.frames ?? [];
  }
  page(mfn: number) {
    return this.toy.pages?.[mfn] ?? PAGE;
  }
  populated() {
    return Object.keys(this.toy.pages ?? {}).map(Number);
  }
  dispose(): void {
    this.toy.disposed?.();
  }
  private get end(): number {
    return this.toy.end ?? 30;
  }
}

export const engine = (toy: Toy = {}): Engine => new ToyEngine(toy);
export const bootOf =
  (toy: Toy = {}): Boot =>
  () =>
    engine(toy);
