/**
 * Events and clauses gathered while an input is worked on. They ride in the machine, so that a rule that changes the machine and
 * one that tells about it read alike. Linked lists, newest first: adding shares the rest.
 */
import type { ClauseId } from '#spec/clauses.ts';
import type { Event } from '#spec/event.ts';
import type { Machine } from './machine.ts';

type List<T> = { readonly head: T; readonly tail: List<T> } | null;
export type Journal = { readonly events: List<Event>; readonly clauses: List<ClauseId> };

export const EMPTY_JOURNAL: Journal = { events: null, clauses: null };

/** Tell that something happened. */
export const emit = (machine: Machine, event: Event): Machine => ({
  ...machine,
  journal: { events: { head: event, tail: machine.journal.events }, clauses: machine.journal.clauses },
});

/** Name the clause that decided. */
export const cite = (machine: Machine, clause: ClauseId): Machine => ({
  ...machine,
  journal: { events: machine.journal.events, clauses: { head: clause, tail: machine.journal.clauses } },
});

const oldestFirst = <T>(list: List<T>): T[] => {
  const all: T[] = [];
  for (let at = list; at; at = at.tail) all.push(at.head);
  return all.reverse();
};

/** Events in order of happening. */
export const eventsOf = (journal: Journal): readonly Event[] => oldestFirst(journal.events);
/** Clauses in order of citing, repetitions included. */
export const clausesOf = (journal: Journal): readonly ClauseId[] => oldestFirst(journal.clauses);
