/** Replay a trace on an engine: accepted, rejected at the first difference, or inconclusive. */
import type { Boot } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import type { Trace, TraceEnd } from './format.ts';

export type Rejection = {
  /** What parted: a console line, an event, or the end of the machine. */
  readonly aspect: 'console' | 'event' | 'end';
  /** Domain and 1-based line of its console, or 0-based index of the event. */
  readonly place: string;
  readonly expected: string;
  readonly seen: string;
  /** Clauses that the engine cited last before the difference (engines that cite). */
  readonly clauses: readonly string[];
};
export type ReplayVerdict =
  | { readonly verdict: 'accepted'; readonly compared: number; readonly clauses: readonly string[]; readonly retired: number }
  | { readonly verdict: 'rejected'; readonly rejection: Rejection; readonly retired: number }
  | { readonly verdict: 'inconclusive'; readonly why: string; readonly retired: number };

/** Chooses inputs for traces that do not hold their own: an environment. `null` when the run is over. */
export type Chooser = {
  next(status: ReturnType<ReturnType<Boot>['status']>): Input | string;
  account(input: Input, retired: number): void;
};

/** Everything an engine did in a run. */
type Performance = {
  readonly events: readonly Event[];
  /** For event i, the clauses cited by the input that brought it. */
  readonly clausesAt: readonly (readonly string[])[];
  readonly clauses: readonly string[];
  readonly finish: string;
  readonly halted: number | null;
  readonly retired: number;
};

const perform = (boot: Boot, trace: Trace, images: readonly Uint8Array[], chooser: Chooser): Performance => {
  const engine = boot(trace.header.machine, images);
  const events: Event[] = [];
  const clausesAt: (readonly string[])[] = [];
  const clauses = new Set<string>();
  const scripted = trace.records.flatMap((r) => (r.record === 'input' ? [r.input] : []));
  const useScript = trace.header.visible.includes('inputs');
  let retired = 0;
  let cursor = 0;
  let finish = 'script';
  for (;;) {
    const next = useScript ? scripted[cursor++] : chooser.next(engine.status());
    if (next === undefined) break;
    if (typeof next === 'string') {
      finish = next;
      break;
    }
    const report = engine.apply(next);
    retired += report.retired;
    chooser.account(next, report.retired);
    for (const event of report.events) {
      events.push(event);
      clausesAt.push(report.clauses ?? []);
    }
    for (const clause of report.clauses ?? []) clauses.add(clause);
  }
  return { events, clausesAt, clauses: [...clauses], finish, halted: engine.status().halted, retired };
};

type ConsoleLine = { readonly text: string; readonly event: number };

/** Console text by domain, in lines, each with the index of the event that ended it. */
const consoleLines = (events: readonly Event[]): Map<number, ConsoleLine[]> => {
  const open = new Map<number, string>();
  const lines = new Map<number, ConsoleLine[]>();
  for (const [index, event] of events.entries()) {
    if (event.kind !== 'console') continue;
    const parts = ((open.get(event.domid) ?? '') + event.bytes).split('\n');
    open.set(event.domid, parts.pop()!);
    const done = lines.get(event.domid) ?? [];
    for (const text of parts) done.push({ text, event: index });
    lines.set(event.domid, done);
  }
  for (const [domid, rest] of open) if (rest !== '') lines.get(domid)!.push({ text: rest, event: events.length - 1 });
  return lines;
};

/** Replay. Throws what the engine throws for a bug of its own; NotModelled makes the replay inconclusive. */
export const replay = (boot: Boot, trace: Trace, images: readonly Uint8Array[], chooser: Chooser): ReplayVerdict => {
  let seen: Performance;
  try {
    seen = perform(boot, trace, images, chooser);
  } catch (error) {
    if (error instanceof NotModelled) return { verdict: 'inconclusive', why: error.message, retired: 0 };
    throw error;
  }
  const lossAt = trace.records.findIndex((r) => r.record === 'lost');
  const kept = lossAt < 0 ? trace.records : trace.records.slice(0, lossAt);
  const expected = kept.flatMap((r) => (r.record === 'event' ? [r.event] : []));
  const end = kept.find((r): r is TraceEnd => r.record === 'end');

  let compared = 0;
  const reject = (rejection: Rejection): ReplayVerdict => ({ verdict: 'rejected', rejection, retired: seen.retired });

  if (trace.header.visible.includes('events')) {
    for (const [i, event] of expected.entries()) {
      const other = seen.events[i];
      const a = JSON.stringify(event);
      const b = other === undefined ? '(nothing)' : JSON.stringify(other);
      if (a !== b) return reject({ aspect: 'event', place: `event ${i}`, expected: a, seen: b, clauses: seen.clausesAt[i] ?? [] });
      compared++;
    }
    if (end && seen.events.length > expected.length)
      return reject({
        aspect: 'event',
        place: `event ${expected.length}`,
        expected: '(nothing)',
        seen: JSON.stringify(seen.events[expected.length]),
        clauses: seen.clausesAt[expected.length] ?? [],
      });
  } else {
    const want = consoleLines(expected);
    const have = consoleLines(seen.events);
    for (const domid of [...new Set([...want.keys(), ...have.keys()])].sort((x, y) => x - y)) {
      const a = want.get(domid) ?? [];
      const b = have.get(domid) ?? [];
      // After a loss the recording proves nothing about lines that it does not hold.
      const count = end ? Math.max(a.length, b.length) : a.length;
      for (let i = 0; i < count; i++) {
        if (a[i]?.text === b[i]?.text) {
          compared++;
          continue;
        }
        return reject({
          aspect: 'console',
          place: `domain ${domid} line ${i + 1}`,
          expected: a[i]?.text ?? '(nothing)',
          seen: b[i]?.text ?? '(nothing)',
          clauses: seen.clausesAt[b[i]?.event ?? seen.events.length - 1] ?? [],
        });
      }
    }
  }
  if (!end) {
    const lost = trace.records[lossAt];
    return { verdict: 'inconclusive', why: lost?.record === 'lost' ? `records lost: ${lost.reason}` : 'no end', retired: seen.retired };
  }
  if (end.finish === 'timeout')
    return { verdict: 'inconclusive', why: 'the recorder gave up waiting for the machine', retired: seen.retired };
  if (trace.header.visible.includes('end')) {
    const want = `${end.finish} ${end.reason ?? ''}`.trim();
    const have = `${seen.finish === 'script' ? end.finish : seen.finish} ${seen.halted ?? ''}`.trim();
    if (want !== have) return reject({ aspect: 'end', place: 'end', expected: want, seen: have, clauses: seen.clausesAt.at(-1) ?? [] });
  }
  return { verdict: 'accepted', compared, clauses: seen.clauses, retired: seen.retired };
};
