/** Where a trace and what an engine did part first, for each kind of thing that a trace can show. */
import type { Event } from '#spec/event.ts';
import type { Trace, TraceRecord } from './format.ts';
import type { Performance } from './perform.ts';

export type Rejection = {
  /** What parted: a console line, an event, an observation, an input that the engine refused, or the end of the machine. */
  readonly aspect: 'console' | 'event' | 'observation' | 'input' | 'end';
  /** Domain and 1-based line of its console; 0-based index of the event or input; path in the observation. */
  readonly place: string;
  readonly expected: string;
  readonly seen: string;
  /** Clauses that decided what was seen there (engines that cite). */
  readonly clauses: readonly string[];
};
/** A rejection whose clauses are not looked up yet; `event`: what they must explain, null for nothing in particular. */
export type Parting = Omit<Rejection, 'clauses'> & { readonly event: number | null };

/** How many things were the same, and the first that was not. */
export type Comparison = { readonly compared: number; readonly parting: Parting | null };

const eventsOf = (records: readonly TraceRecord[]): readonly Event[] => records.flatMap((r) => (r.record === 'event' ? [r.event] : []));

/** Which side goes to its end. What one side has beyond the other counts only when the other is whole. */
export type Whole = { readonly trace: boolean; readonly seen: boolean };

const countOf = (expected: number, seen: number, whole: Whole): number =>
  expected < seen ? (whole.trace ? seen : expected) : whole.seen ? expected : seen;

export const compareEvents = (records: readonly TraceRecord[], seen: Performance, whole: Whole): Comparison => {
  const expected = eventsOf(records);
  const count = countOf(expected.length, seen.events.length, whole);
  for (let i = 0; i < count; i++) {
    const a = JSON.stringify(expected[i]) ?? '(nothing)';
    const b = JSON.stringify(seen.events[i]) ?? '(nothing)';
    if (a !== b) return { compared: i, parting: { aspect: 'event', place: `event ${i}`, expected: a, seen: b, event: i } };
  }
  return { compared: count, parting: null };
};

export type ConsoleLine = { readonly text: string; readonly event: number };
export type Console = { readonly lines: ConsoleLine[]; readonly rest: ConsoleLine | null };

/** Console text by domain: lines, each with the index of the event that ended it, and what came after the last line feed. */
export const consolesOf = (events: readonly Event[]): ReadonlyMap<number, Console> => {
  const consoles = new Map<number, Console>();
  for (const [event, e] of events.entries()) {
    if (e.kind !== 'console') continue;
    const { lines, rest } = consoles.get(e.domid) ?? { lines: [], rest: null };
    const parts = ((rest?.text ?? '') + e.bytes).split('\n');
    const text = parts.pop()!;
    for (const part of parts) lines.push({ text: part, event });
    consoles.set(e.domid, { lines, rest: text === '' ? null : { text, event } });
  }
  return consoles;
};

/** A line is printed after the fact that it tells of: the last event before it that is more than console or runstate, if there is one. */
const explaining = (seen: Performance, line: number): number => {
  const fact = seen.events.slice(0, line).findLastIndex(({ kind }) => kind !== 'console' && kind !== 'runstate');
  return fact < 0 ? line : fact;
};

/** Lines by domain. How the bytes were cut into writes is no difference; a line without its line feed counts on a side that is whole. */
export const compareConsoles = (records: readonly TraceRecord[], seen: Performance, whole: Whole): Comparison => {
  const want = consolesOf(eventsOf(records));
  const have = consolesOf(seen.events);
  const linesIn = (console: Console | undefined, all: boolean): readonly ConsoleLine[] =>
    console === undefined ? [] : all && console.rest ? [...console.lines, console.rest] : console.lines;
  let compared = 0;
  for (const domid of [...new Set([...want.keys(), ...have.keys()])].sort((x, y) => x - y)) {
    const a = linesIn(want.get(domid), whole.trace);
    const b = linesIn(have.get(domid), whole.seen);
    const count = countOf(a.length, b.length, whole);
    for (let i = 0; i < count; i++) {
      if (a[i]?.text === b[i]?.text) {
        compared++;
        continue;
      }
      const parting: Parting = {
        aspect: 'console',
        place: `domain ${domid} line ${i + 1}`,
        expected: a[i]?.text ?? '(nothing)',
        seen: b[i]?.text ?? '(nothing)',
        event: explaining(seen, b[i]?.event ?? seen.events.length),
      };
      return { compared, parting };
    }
  }
  return { compared, parting: null };
};

/** Observations are plain JSON: the first path at which they differ. A performance that stopped early has fewer of them. */
export const compareObservations = (trace: Trace, seen: Performance): Comparison => {
  const expected = trace.records.flatMap((r) => (r.record === 'observation' ? [r.observation] : []));
  for (const [i, observation] of seen.observations.entries()) {
    const found = firstPath(expected[i], observation);
    if (found) return { compared: i, parting: { aspect: 'observation', ...found, event: null } };
  }
  return { compared: seen.observations.length, parting: null };
};

const isNode = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A key that one side lacks reads as nothing there. */
const firstPath = (a: unknown, b: unknown, path = ''): Pick<Rejection, 'place' | 'expected' | 'seen'> | null => {
  if (isNode(a) && isNode(b) && Array.isArray(a) === Array.isArray(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = firstPath(a[key], b[key], path === '' ? key : `${path}.${key}`);
      if (found) return found;
    }
    return null;
  }
  if (a === b) return null;
  return { place: path, expected: JSON.stringify(a) ?? '(nothing)', seen: JSON.stringify(b) ?? '(nothing)' };
};
