import { describe, expect, test } from 'vitest';
import type { Boot, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import type { Observation } from '#spec/observation.ts';
import type { Trace, TraceRecord, Visible } from './format.ts';
import type { Chooser } from './perform.ts';
import { type ReplayVerdict, replay } from './replay.ts';

const say = (bytes: string, domid = 0): Event => ({ kind: 'console', domid, bytes });
const fact = (reason: number): Event => ({ kind: 'shutdown', domid: 0, reason });
const report = (...events: Event[]): Report => ({ events, retired: events.length, clauses: events.map((e) => `x/${e.kind}`) });
type Deed = Report | Error;

/** An engine that does as it is told: one deed an input; in single steps, one event a step. */
const acting =
  (deeds: readonly Deed[], halted: number | null = 0): Boot =>
  () => {
    let at = 0;
    let rest: Event[] = [];
    const look = (deed: Deed): Report => {
      if (deed instanceof Error) throw deed;
      return deed;
    };
    return {
      name: 'acting',
      apply: (input: Input) => {
        if (input.kind !== 'execute' || input.steps > 1) return look(deeds[at++]!);
        if (rest.length === 0) rest = [...look(deeds[at++]!).events];
        return report(rest.shift()!);
      },
      status: () => ({ now: 0, halted, current: [null], runnable: [], deadline: null }),
      observe: () => ({ now: at, memory: 'm', domains: [{ domid: 0 }] }) as unknown as Observation,
      frames: () => [],
      page: () => new Uint8Array(),
      populated: () => [],
    };
  };

/** One `execute` for each deed, then the end. */
const chooser = (count: number): Chooser => {
  let left = count;
  return { limit: 1000, next: () => (left-- > 0 ? { kind: 'execute', cpu: 0, steps: 10 } : 'halted'), account: () => {} };
};

const event = (e: Event): TraceRecord => ({ record: 'event', event: e });
const end: TraceRecord = { record: 'end', finish: 'halted', reason: 0, retired: null };

const replayed = (
  visible: readonly (typeof Visible)['_output'][],
  records: readonly TraceRecord[],
  deeds: readonly Deed[],
): ReplayVerdict => {
  const trace: Trace = {
    header: {
      record: 'header',
      format: 'xenspec-trace',
      version: 1,
      producer: { name: 'hand', version: '1', details: {} },
      title: '',
      visible: [...visible],
      machine: debian_4_17(),
      images: [{ domid: 0, sha256: '0'.repeat(64), elf: '' }],
      policy: null,
      program: null,
      seed: null,
      clauses: [],
    },
    records,
  };
  return replay(acting(deeds), trace, [], chooser(deeds.length));
};

describe('consoles', () => {
  const both = ['console', 'end'] as const;

  test('are compared by lines, however the bytes were cut', () => {
    const verdict = replayed(both, [event(say('a\nb')), event(say('c\n')), end], [report(say('a\n'), say('b')), report(say('c\n'))]);
    expect(verdict).toMatchObject({ verdict: 'accepted', compared: 2 });
  });

  test('the first different line is named, with the clauses of what it tells of', () => {
    const verdict = replayed(both, [event(say('a\nb\n')), end], [report(say('a\n'), fact(1), say('c\n'))]);
    expect(verdict).toMatchObject({
      verdict: 'rejected',
      rejection: { aspect: 'console', place: 'domain 0 line 2', expected: 'b', seen: 'c', clauses: ['x/shutdown'] },
    });
  });

  test.each([
    ['one line more', [event(say('a\n')), end], [report(say('a\nb\n'))], { expected: '(nothing)', seen: 'b' }],
    ['one line less', [event(say('a\nb\n')), end], [report(say('a\n'))], { expected: 'b', seen: '(nothing)' }],
    ['no last line feed', [event(say('a\nb\n')), end], [report(say('a\nb')), report(say('x\n'))], { expected: 'b', seen: 'bx' }],
    ['another domain', [event(say('a\n')), end], [report(say('a\n'), say('b\n', 1))], { place: 'domain 1 line 1' }],
  ] as const)('%s is a difference', (_, records, deeds, rejection) => {
    expect(replayed(both, records, deeds)).toMatchObject({ verdict: 'rejected', rejection });
  });

  test('after a loss nothing more proves anything, before it everything does', () => {
    const lost: TraceRecord = { record: 'lost', count: null, reason: 'gone' };
    const records = [event(say('a\n')), lost, event(say('q\n')), end];
    expect(replayed(both, records, [report(say('a\nb\n'))])).toMatchObject({ verdict: 'inconclusive', why: 'records lost: gone' });
    expect(replayed(both, records, [report(say('b\n'))])).toMatchObject({ verdict: 'rejected' });
  });
});

describe('events', () => {
  const all = ['events', 'end'] as const;

  test('are compared one by one', () => {
    expect(replayed(all, [event(fact(1)), event(fact(2)), end], [report(fact(1)), report(fact(2))])).toMatchObject({
      verdict: 'accepted',
      compared: 2,
    });
    expect(replayed(all, [event(fact(1)), event(fact(2)), end], [report(fact(1), fact(3))])).toMatchObject({
      verdict: 'rejected',
      rejection: { aspect: 'event', place: 'event 1', clauses: ['x/shutdown'] },
    });
    expect(replayed(all, [event(fact(1)), end], [report(fact(1), fact(2))])).toMatchObject({ verdict: 'rejected' });
  });

  test('the end counts, too', () => {
    const crashed: TraceRecord = { record: 'end', finish: 'halted', reason: 3, retired: null };
    const verdict = replayed(all, [event(fact(1)), crashed], [report(fact(1))]);
    expect(verdict).toMatchObject({ verdict: 'rejected', rejection: { aspect: 'end', expected: 'halted 3', seen: 'halted 0' } });
    const timeout: TraceRecord = { record: 'end', finish: 'timeout', reason: null, retired: null };
    expect(replayed(all, [event(fact(1)), timeout], [report(fact(1))])).toMatchObject({ verdict: 'inconclusive' });
  });
});

describe('an engine that goes no further', () => {
  const stop = Object.assign(new NotModelled('x/y'), { before: report(fact(1)) });

  test('leaves the replay inconclusive, unless there was a difference before', () => {
    expect(replayed(['events', 'end'], [event(fact(1)), event(fact(2)), end], [stop])).toMatchObject({
      verdict: 'inconclusive',
      why: 'not modelled: x/y',
    });
    expect(replayed(['events', 'end'], [event(fact(9)), event(fact(2)), end], [stop])).toMatchObject({ verdict: 'rejected' });
  });

  test('agrees with a trace that stopped there as well', () => {
    const stopped: TraceRecord = { record: 'end', finish: 'not_modelled', reason: 0, retired: null };
    expect(replayed(['events', 'end'], [event(fact(1)), stopped], [stop])).toMatchObject({ verdict: 'accepted', compared: 1 });
    expect(replayed(['events', 'end'], [event(fact(1)), event(fact(2)), stopped], [stop])).toMatchObject({ verdict: 'rejected' });
  });
});

describe('a trace with inputs', () => {
  const input: TraceRecord = { record: 'input', input: { kind: 'execute', cpu: 0, steps: 10 } };
  const shown = (now: number): TraceRecord => ({ record: 'observation', observation: { now, memory: 'm', domains: [{ domid: 0 }] } });

  test('is applied, and its observations are compared where they stand', () => {
    const records = [input, event(fact(1)), shown(1), input, event(fact(2)), shown(2), end];
    const deeds = [report(fact(1)), report(fact(2))];
    expect(replayed(['inputs', 'events', 'observations'], records, deeds)).toMatchObject({ verdict: 'accepted', compared: 4 });
    const bent = [input, event(fact(1)), shown(1), input, event(fact(2)), shown(7), end];
    expect(replayed(['inputs', 'events', 'observations'], bent, deeds)).toMatchObject({
      verdict: 'rejected',
      rejection: { aspect: 'observation', place: 'now', expected: '7', seen: '2' },
    });
  });

  test('an input that makes no sense to the engine is a rejection', () => {
    expect(replayed(['inputs', 'events'], [input, end], [new BadInput('no such CPU')])).toMatchObject({
      verdict: 'rejected',
      rejection: { aspect: 'input', place: 'input 0', seen: 'no such CPU' },
    });
  });

  test('inputs without end are given up', () => {
    const long: TraceRecord = { record: 'input', input: { kind: 'execute', cpu: 0, steps: 9_000_000_000 } };
    const busy: Report = { events: [], retired: 1000 };
    expect(replayed(['inputs', 'events'], [long, long, end], [busy, busy])).toMatchObject({
      verdict: 'inconclusive',
      why: 'more than 1000 steps',
    });
  });
});
