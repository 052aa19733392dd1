/** The first place where two traces part, in what both of them could see. */
import type { Event } from '#spec/event.ts';
import type { Trace, TraceEnd, TraceRecord } from '#traces/format.ts';
import { consolesOf } from '#traces/rejection.ts';
import { firstDifference } from '../compare/difference.ts';

export type TraceDifference = {
  readonly what: 'machine' | 'images' | 'input' | 'event' | 'console' | 'observation' | 'end';
  /** Path, number or domain and line; from 1 where people count. */
  readonly place: string;
  readonly a: string;
  readonly b: string;
};
export type Compared = {
  readonly difference: TraceDifference | null;
  /** Why agreement proves nothing of the whole: records were lost on one side. */
  readonly lost: string | null;
};

const show = (value: unknown): string => (value === undefined ? '(nothing)' : typeof value === 'string' ? value : JSON.stringify(value));

const differing = (what: TraceDifference['what'], a: unknown, b: unknown, root: string): TraceDifference | null => {
  const found = firstDifference(a, b);
  return (
    found && {
      what,
      place: `${root}${found.path === '' || found.path.startsWith('[') ? '' : '.'}${found.path}`,
      a: show(found.expected),
      b: show(found.seen),
    }
  );
};

/** Console events that follow each other as one: how a producer cut the bytes is no difference. */
const joined = (events: readonly Event[]): readonly Event[] => {
  const out: Event[] = [];
  for (const event of events) {
    const before = out.at(-1);
    if (event.kind === 'console' && before?.kind === 'console' && before.domid === event.domid)
      out[out.length - 1] = { ...before, bytes: before.bytes + event.bytes };
    else out.push(event);
  }
  return out;
};

/** First item at which two lists differ. A list that was cut proves nothing by being shorter. */
const inLists = <T>(
  what: TraceDifference['what'],
  a: readonly T[],
  b: readonly T[],
  cut: boolean,
  place: (i: number) => string,
): TraceDifference | null => {
  const count = cut ? Math.min(a.length, b.length) : Math.max(a.length, b.length);
  for (let i = 0; i < count; i++) if (firstDifference(a[i], b[i])) return { what, place: place(i), a: show(a[i]), b: show(b[i]) };
  return null;
};

const inConsoles = (a: readonly Event[], b: readonly Event[], cut: boolean): TraceDifference | null => {
  const [left, right] = [consolesOf(a), consolesOf(b)];
  const linesIn = (consoles: typeof left, domid: number): readonly string[] => {
    const { lines, rest } = consoles.get(domid) ?? { lines: [], rest: null };
    return [...lines, ...(rest && !cut ? [rest] : [])].map(({ text }) => text);
  };
  for (const domid of [...new Set([...left.keys(), ...right.keys()])].sort((x, y) => x - y)) {
    const found = inLists('console', linesIn(left, domid), linesIn(right, domid), cut, (i) => `domain ${domid} line ${i + 1}`);
    if (found) return found;
  }
  return null;
};

export const compareTraces = (a: Trace, b: Trace): Compared => {
  const whole = (trace: Trace): readonly TraceRecord[] => {
    const at = trace.records.findIndex((r) => r.record === 'lost');
    return at < 0 ? trace.records : trace.records.slice(0, at);
  };
  const lossOf = (trace: Trace): string | null => trace.records.find((r) => r.record === 'lost')?.reason ?? null;
  const lost = lossOf(a) ?? lossOf(b);
  const [left, right] = [whole(a), whole(b)];
  const both = new Set<string>(a.header.visible.filter((v) => b.header.visible.includes(v)));
  const pick = <T>(records: readonly TraceRecord[], of: (r: TraceRecord) => T | undefined): readonly T[] =>
    records.flatMap((r) => of(r) ?? []);
  const inputs = (records: readonly TraceRecord[]) => pick(records, (r) => (r.record === 'input' ? r.input : undefined));
  const events = (records: readonly TraceRecord[]) => pick(records, (r) => (r.record === 'event' ? r.event : undefined));
  const observations = (records: readonly TraceRecord[]) => pick(records, (r) => (r.record === 'observation' ? r.observation : undefined));
  const end = (records: readonly TraceRecord[]): TraceEnd | undefined => records.find((r): r is TraceEnd => r.record === 'end');
  const cut = lost !== null;
  const numbered = (name: string) => (i: number) => `${name} ${i + 1}`;
  const endOf = (e: TraceEnd | undefined): string | undefined => e && `${e.finish}${e.reason === null ? '' : ` ${e.reason}`}`;

  const sha = (trace: Trace): readonly string[] => trace.header.images.map((i) => i.sha256);
  const difference =
    differing('machine', a.header.machine, b.header.machine, 'machine') ??
    inLists('images', sha(a), sha(b), false, numbered('image')) ??
    (both.has('inputs') ? inLists('input', inputs(left), inputs(right), cut, numbered('input')) : null) ??
    (both.has('events')
      ? inLists('event', joined(events(left)), joined(events(right)), cut, numbered('event'))
      : inConsoles(events(left), events(right), cut)) ??
    (both.has('observations') ? differing('observation', observations(left), observations(right), 'observation') : null) ??
    (both.has('end') && !cut && endOf(end(left)) !== endOf(end(right))
      ? { what: 'end' as const, place: 'end', a: show(endOf(end(left))), b: show(endOf(end(right))) }
      : null);
  return { difference, lost };
};
