/** Run an engine through a trace's inputs, or through those that a chooser makes, and keep what it did. */
import type { Boot, Engine, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import type { Observation } from '#spec/observation.ts';
import type { Trace } from './format.ts';

/** Chooses inputs for traces that do not hold their own: an environment. A word says why the run is over. */
export type Chooser = {
  next(status: ReturnType<Engine['status']>): Input | string;
  account(input: Input, retired: number): void;
  /** Most steps in all; inputs of the trace itself are held to it as well. */
  readonly limit: number;
};

/** Why an engine went no further. */
export type Stopped =
  | { readonly kind: 'not_modelled'; readonly what: string }
  /** The trace's inputs go on beyond so many steps. */
  | { readonly kind: 'limit'; readonly steps: number }
  /** The trace's input with this number makes no sense to the engine as it stands. */
  | { readonly kind: 'bad_input'; readonly index: number; readonly message: string };

/** Everything an engine did in a run. */
export type Performance = {
  readonly inputs: readonly Input[];
  /** For input i, how many events came before it. */
  readonly eventsBefore: readonly number[];
  readonly events: readonly Event[];
  readonly clauses: readonly string[];
  /** What the engine showed wherever the trace holds an observation, in its order. */
  readonly observations: readonly Observation[];
  readonly finish: string;
  readonly halted: number | null;
  readonly retired: number;
  readonly stopped: Stopped | null;
};

/** A step of the script: apply an input, or look. */
type Act = Input | 'observe';

const script = function* (trace: Trace): Generator<Act> {
  for (const r of trace.records) {
    if (r.record === 'input') yield r.input;
    else if (r.record === 'observation') yield 'observe';
  }
};

/** An `execute` no longer than `left` steps; anything else as it is. */
const cutTo = (act: Act, left: number): Act =>
  typeof act === 'object' && act.kind === 'execute' && act.steps > left ? { ...act, steps: Math.max(left, 1) } : act;

/** Throws what the engine throws at boot, and for a bug of its own. */
export const perform = (boot: Boot, trace: Trace, images: readonly Uint8Array[], chooser: Chooser): Performance => {
  const engine = boot(trace.header.machine, images);
  const scripted = trace.header.visible.includes('inputs') ? script(trace) : null;
  const inputs: Input[] = [];
  const eventsBefore: number[] = [];
  const events: Event[] = [];
  const clauses = new Set<string>();
  const observations: Observation[] = [];
  let retired = 0;
  const note = (input: Input, report: Report): void => {
    inputs.push(input);
    eventsBefore.push(events.length);
    retired += report.retired;
    for (const event of report.events) events.push(event);
    for (const clause of report.clauses ?? []) clauses.add(clause);
  };
  const over = (finish: string, stopped: Stopped | null): Performance => {
    const { halted } = engine.status();
    engine.dispose?.();
    return { inputs, eventsBefore, events, clauses: [...clauses], observations, finish, halted, retired, stopped };
  };
  for (;;) {
    const given = scripted ? scripted.next().value : chooser.next(engine.status());
    const next = scripted && given !== undefined ? cutTo(given as Act, chooser.limit - retired) : given;
    if (next === undefined) return over('script', null);
    if (next === 'observe') {
      observations.push(engine.observe());
      continue;
    }
    if (typeof next === 'string') return over(next, null);
    try {
      const report = engine.apply(next);
      chooser.account(next, report.retired);
      note(next, report);
      if (next !== given && retired >= chooser.limit) return over('limit', { kind: 'limit', steps: chooser.limit });
    } catch (error) {
      if (error instanceof NotModelled && error.before) note(next, error.before);
      if (error instanceof NotModelled) return over('not_modelled', { kind: 'not_modelled', what: error.what });
      // Only inputs of the trace can be wrong; a chooser's come from the engine's own status.
      if (error instanceof BadInput && scripted)
        return over('bad_input', { kind: 'bad_input', index: inputs.length, message: error.message });
      throw error;
    }
  }
};
