/** What one input comes to. */
import type { ClauseId } from '#spec/clauses.ts';
import type { Event } from '#spec/event.ts';
import type { Stretch } from '#spec/work.ts';
import type { Machine } from './machine.ts';

export type Outcome = {
  readonly machine: Machine;
  readonly events: readonly Event[];
  /** Clauses that decided something, in order, repetitions included. */
  readonly clauses: readonly ClauseId[];
  /** Questions of long operations whether they should stop. */
  readonly questions: number;
  /** The longest stretches of work. */
  readonly work: readonly Stretch[];
  /** Guest steps retired. */
  readonly retired: number;
};
