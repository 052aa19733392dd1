/** Run one engine to its end under an environment. */
import type { Engine, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { DEFAULT_POLICY, Environment, type Finish, type Policy } from './environment.ts';

export type RunResult = {
  readonly finish: Finish;
  /** SHUTDOWN reason when the machine halted. */
  readonly halted: number | null;
  readonly retired: number;
  readonly now: number;
};

export type RunOptions = {
  readonly policy?: Policy;
  /** Most steps in all. */
  readonly limit?: number;
  /** Nanoseconds for which it waits when every vCPU does. */
  readonly patience?: number;
  readonly onEvent?: (event: Event) => void;
  /** Called after every input with the clauses that decided something. */
  readonly onClauses?: (clauses: readonly string[]) => void;
  /** Called after every input, before its events, with the steps retired so far. */
  readonly onInput?: (retired: number, report: Report) => void;
};

/** Throws NotModelled, BadInput and ModelBug as the engine does. What happened before something not modelled is told first. */
export const runEngine = (engine: Engine, options: RunOptions = {}): RunResult => {
  const environment = new Environment(options.policy ?? DEFAULT_POLICY, options.limit, options.patience);
  const tell = (input: Input, report: Report): void => {
    environment.account(input, report.retired);
    options.onInput?.(environment.retired, report);
    if (options.onEvent) for (const event of report.events) options.onEvent(event);
    if (options.onClauses && report.clauses) options.onClauses(report.clauses);
  };
  for (;;) {
    const status = engine.status();
    const input = environment.next(status);
    if (typeof input === 'string') return { finish: input, halted: status.halted, retired: environment.retired, now: status.now };
    let report: Report;
    try {
      report = engine.apply(input);
    } catch (error) {
      if (error instanceof NotModelled && error.before) tell(input, error.before);
      throw error;
    }
    tell(input, report);
  }
};

/** Collects what each domain wrote to its console. */
export class Consoles {
  private readonly text = new Map<number, string[]>();
  readonly add = (event: Event): void => {
    if (event.kind !== 'console') return;
    const chunks = this.text.get(event.domid);
    if (chunks) chunks.push(event.bytes);
    else this.text.set(event.domid, [event.bytes]);
  };
  /** Bytes of a domain's console, one character a byte. */
  of(domid: number): string {
    return this.text.get(domid)?.join('') ?? '';
  }
  domids(): readonly number[] {
    return [...this.text.keys()].sort((a, b) => a - b);
  }
}
