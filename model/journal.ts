/**
 * Events and clauses gathered while an input is worked on. They ride in the machine, so that a rule that changes the machine and
 * one that tells about it read alike. Events are a linked list, newest first: adding shares the rest. Clauses, which are cited several times
 * as often, are collected for the length of one transition, beside the machines that it makes.
 */
import type { ClauseId } from '#spec/clauses.ts';
import type { Event } from '#spec/event.ts';
import type { Machine } from './machine.ts';
import { freshMeter, type Meter } from './work.ts';

/** `count`: how many there are, this one included. */
type List<T> = { readonly head: T; readonly tail: List<T>; readonly count: number } | null;

/** `clauses`: what the transition that goes on has cited; `work`: what it has worked. Both null in a machine that no transition works on. */
export type Journal = { readonly events: List<Event>; readonly clauses: ClauseId[] | null; readonly work: Meter | null };

export const EMPTY_JOURNAL: Journal = { events: null, clauses: null, work: null };

/** What a transition begins with; the first one also tells what the machine's building came to. */
export const openJournal = ({ events, clauses }: Journal): Journal => ({
  events,
  clauses: clauses === null ? [] : clauses.slice(),
  work: freshMeter(),
});

/** Tell that something happened. */
export const emit = (machine: Machine, event: Event): Machine => {
  const { events, clauses, work } = machine.journal;
  const told = { head: event, tail: events, count: events === null ? 1 : events.count + 1 };
  return { ...machine, journal: { events: told, clauses, work } };
};

/** Name the clause that decided. What a rule tried and gave up again has decided too. */
export const cite = (machine: Machine, clause: ClauseId): Machine => {
  const { events, clauses, work } = machine.journal;
  if (clauses === null) return { ...machine, journal: { events, clauses: [clause], work } };
  clauses.push(clause);
  return machine;
};

/** Events in order of happening. */
export const eventsOf = ({ events }: Journal): readonly Event[] => {
  const all = new Array<Event>(events?.count ?? 0);
  for (let at = events; at; at = at.tail) all[at.count - 1] = at.head;
  return all;
};

/** Clauses in order of citing, repetitions included. */
export const clausesOf = ({ clauses }: Journal): readonly ClauseId[] => clauses ?? [];
