import { expect, test } from 'vitest';
import type { Engine, Report } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { FrameObservation } from '#spec/observation.ts';
import { applyInput, bootPair, compareEndings, compareMachines, type Ending, lockstep } from './lockstep.ts';
import { AT, bootOf, engine, SUBJECT, type Toy } from './testing/toy.ts';

const says = (bytes: string): Event => ({ kind: 'console', domid: 0, bytes });
const called: Event = { kind: 'hypercall', at: AT, call: 'sched_op', args: [], result: '0x0', depth: 0 };
const element: Event = { kind: 'operation', at: AT, name: 'mmu_update', result: 0 };
const ending = (report: Partial<Report>): Ending => ({ kind: 'report', report: { events: [], retired: 3, ...report } });
const stopped = (what: string, ...events: readonly Event[]): Ending => ({ kind: 'not_modelled', what, before: { events, retired: 1 } });

const throwing = (thrown: unknown): Engine =>
  ({
    apply: () => {
      throw thrown;
    },
  }) as unknown as Engine;
const INPUT = { kind: 'time', now: 5 } as const;

test('an input ends by a report, or by a failure that has a name', () => {
  expect(applyInput(engine(), INPUT)).toEqual({ kind: 'report', report: { events: [], retired: 0 } });
  const failure = new NotModelled('hvm_op/modify');
  failure.before = { events: [called], retired: 2 };
  expect(applyInput(throwing(failure), INPUT)).toEqual({ kind: 'not_modelled', what: 'hvm_op/modify', before: failure.before });
  expect(applyInput(throwing(new BadInput('no such vCPU')), INPUT)).toEqual({ kind: 'bad_input', message: 'no such vCPU' });
  const bug = new RangeError('oops');
  expect(applyInput(throwing(bug), INPUT)).toEqual({ kind: 'bug', message: 'oops', stack: bug.stack });
  expect(applyInput(throwing('a text'), INPUT)).toEqual({ kind: 'bug', message: 'a text', stack: '' });
});

test.each<readonly [Ending, Ending]>([
  [ending({ events: [called] }), ending({ events: [called] })],
  [ending({ questions: 2 }), ending({ questions: 2 })],
  [ending({ questions: 2 }), ending({})],
  [ending({}), ending({ questions: 2 })],
  [ending({ clauses: ['a'] }), ending({ clauses: ['b'] })],
  [stopped('x', called), stopped('x', called)],
  [
    { kind: 'not_modelled', what: 'x', before: null },
    { kind: 'not_modelled', what: 'x', before: null },
  ],
])('%#: endings that agree', (a, b) => expect(compareEndings(a, b)).toBeNull());

test.each<readonly [Ending, Ending, aspect: string, path: string, expected: unknown, seen: unknown]>([
  [ending({ events: [says('a')] }), ending({ events: [says('b')] }), 'events', 'events[0].bytes', 'a', 'b'],
  [ending({ events: [called] }), ending({}), 'events', 'events[0]', called, undefined],
  [ending({}), ending({ retired: 4 }), 'retired', 'retired', 3, 4],
  [ending({ questions: 1 }), ending({ questions: 2 }), 'questions', 'questions', 1, 2],
  [stopped('x', called), stopped('x'), 'events', 'events[0]', called, undefined],
  [stopped('x', called), { kind: 'not_modelled', what: 'x', before: null }, 'events', 'events', [called], undefined],
  [{ kind: 'not_modelled', what: 'x', before: null }, stopped('x', called), 'events', 'events', undefined, [called]],
  [stopped('x'), stopped('y'), 'ending', 'ending', 'not modelled: x', 'not modelled: y'],
  [ending({}), stopped('x'), 'ending', 'ending', 'went on', 'not modelled: x'],
  [stopped('x'), ending({}), 'ending', 'ending', 'not modelled: x', 'went on'],
  [ending({}), { kind: 'bad_input', message: 'm' }, 'ending', 'ending', 'went on', 'bad_input: m'],
  [
    { kind: 'bug', message: 'm', stack: '' },
    { kind: 'bug', message: 'm', stack: '' },
    'ending',
    'ending',
    'total/machine: m',
    'total/machine: m',
  ],
  [{ kind: 'bug', message: 'm', stack: '' }, stopped('m'), 'ending', 'ending', 'total/machine: m', 'not modelled: m'],
  [stopped('m'), { kind: 'bug', message: 'm', stack: '' }, 'ending', 'ending', 'not modelled: m', 'total/machine: m'],
])('%#: endings that differ', (a, b, aspect, path, expected, seen) => {
  expect(compareEndings(a, b)).toEqual({ aspect, difference: { path, expected, seen } });
});

const pageOf = (bytes: Readonly<Record<number, number>>): Uint8Array => {
  const page = new Uint8Array(4096);
  for (const [at, byte] of Object.entries(bytes)) page[Number(at)] = byte;
  return page;
};
const frame = (mfn: number, refs = 1): FrameObservation => ({
  ...{ mfn, owner: 0, refs, type: 'none', type_refs: 0, pinned: false, partial: null },
});
const differs = (a: Toy, b: Toy) => compareMachines(engine(a), engine(b));
const shows = (change: ReturnType<NonNullable<Toy['shows']>>) => ({ shows: () => change });

test('machines are the same, whatever they cost', () =>
  expect(differs({ pages: { 5: pageOf({ 1: 1 }) } }, { frames: [frame(1)] })).toBeNull());

test('a status, and an observation, that differ', () => {
  expect(differs({ end: 0 }, {})).toEqual({ aspect: 'status', difference: { path: 'status.halted', expected: 0, seen: null } });
  expect(differs({}, shows({ now: 4 }))).toEqual({ aspect: 'observation', difference: { path: 'now', expected: 0, seen: 4 } });
  expect(differs({ frames: [frame(9)] }, shows({ now: 4 }))).toMatchObject({ difference: { path: 'now' } });
});

test('a digest of memory that differs is traced to the first word in which the machines do', () => {
  const off = shows({ memory: 'n' });
  const of = (a: Toy['pages'], b: Toy['pages']) => differs({ ...(a && { pages: a }) }, { ...off, ...(b && { pages: b }) });
  const word = (path: string, expected: string, seen: string) => ({ aspect: 'observation', difference: { path, expected, seen } });
  const zero = '0x0000000000000000';
  expect(of({ 5: pageOf({}), 31: pageOf({ 17: 0xab, 4000: 1 }) }, { 31: pageOf({}) })).toEqual(
    word('memory[mfn 0x1f + 0x10]', '0x000000000000ab00', zero),
  );
  expect(of({}, { 31: pageOf({ 4095: 1 }) })).toEqual(word('memory[mfn 0x1f + 0xff8]', zero, '0x0100000000000000'));
  expect(of({ 31: pageOf({ 0: 1 }) }, {})).toEqual(word('memory[mfn 0x1f + 0x0]', '0x0000000000000001', zero));
  // The lowest frame, whichever machine has bytes in it.
  expect(of({ 9: pageOf({ 0: 1 }) }, { 10: pageOf({ 0: 1 }), 8: pageOf({ 0: 2 }) })).toEqual(
    word('memory[mfn 0x8 + 0x0]', zero, '0x0000000000000002'),
  );
  expect(of({ 9: pageOf({ 0: 1 }) }, { 9: pageOf({ 0: 1 }) })).toEqual(word('memory', 'm', 'n'));
});

test('a digest of frames that differs is traced to the first frame in which they do', () => {
  const of = (a: readonly FrameObservation[], b: readonly FrameObservation[]) =>
    differs({ frames: a }, { ...shows({ frames: 'g' }), frames: b });
  const found = (path: string, expected: unknown, seen: unknown) => ({ aspect: 'observation', difference: { path, expected, seen } });
  expect(of([frame(0x1f), frame(0x2f)], [frame(0x1f), frame(0x2f, 3)])).toEqual(found('frame[mfn 0x2f].refs', 1, 3));
  expect(of([frame(0x2f)], [])).toEqual(found('frame[mfn 0x2f]', frame(0x2f), undefined));
  expect(of([frame(9)], [frame(10), frame(9)])).toEqual(found('frame[mfn 0xa]', undefined, frame(10)));
  expect(of([frame(10)], [frame(9), frame(10, 2)])).toEqual(found('frame[mfn 0x9]', undefined, frame(9)));
  expect(of([frame(9)], [frame(9)])).toEqual(found('frames', 'f', 'g'));
});

const refusing = (message: string) => () => {
  throw new BadInput(message);
};

test('a pair boots on both machines, or tells how each of them failed', () => {
  const booted = bootPair({ reference: bootOf(), subject: bootOf() }, SUBJECT);
  expect(Array.isArray(booted) && booted.map(({ name }: Engine) => name)).toEqual(['toy', 'toy']);
  const failed = (expected: string, seen: string) => ({
    ...{ inputs: [], last: { kind: 'time', now: 0 }, aspect: 'boot', difference: { path: 'boot', expected, seen }, clauses: [] },
  });
  const [a, b] = [refusing('a'), refusing('b')];
  expect(bootPair({ reference: a, subject: b }, SUBJECT)).toEqual(failed('BadInput: a', 'BadInput: b'));
  expect(bootPair({ reference: bootOf(), subject: b }, SUBJECT)).toEqual(failed('booted', 'BadInput: b'));
  expect(bootPair({ reference: a, subject: bootOf() }, SUBJECT)).toEqual(failed('BadInput: a', 'booted'));
  expect(lockstep({ reference: a, subject: bootOf() }, SUBJECT)).toEqual({ agree: false, divergence: failed('BadInput: a', 'booted') });
});

test('machines are given the configuration and the images', () => {
  const given: unknown[] = [];
  const asking = (config: unknown, images: unknown): Engine => {
    given.push(config, images);
    return engine();
  };
  lockstep({ reference: asking, subject: asking }, SUBJECT);
  expect(given).toEqual([SUBJECT.config, SUBJECT.images, SUBJECT.config, SUBJECT.images]);
});

const POLICY = { slice: 4, nsPerStep: 1, seed: 0 };
const WORK: Toy = {
  end: 10,
  does: (step) => (step === 3 ? [element, element, called] : step === 9 ? [says('x'), called] : []),
  cites: (step) => (step === 3 ? ['a', 'b'] : ['b']),
};
const run = (a: Toy, b: Toy, options: Parameters<typeof lockstep>[2] = {}) =>
  lockstep({ reference: bootOf(a), subject: bootOf(b) }, SUBJECT, { policy: POLICY, ...options });
const executed = (steps: number) => ({ kind: 'execute', cpu: 0, steps });
/** What comes before the first step: the time at which the first guest runs, and the switch to it. */
const START = [
  { kind: 'time', now: 3_000_000_000 },
  { kind: 'schedule', cpu: 0, vcpu: AT },
];

test('a run in which the machines agree tells what was compared', () => {
  const counts = {
    finish: 'halted',
    what: null,
    halted: 0,
    retired: 10,
    hypercalls: 2,
    elements: 2,
    observations: 7,
    looks: 0,
    clauses: ['b', 'a'],
  };
  expect(run(WORK, WORK)).toEqual({ agree: true, agreement: counts, events: [element, element, called, says('x'), called] });
  expect(run(WORK, WORK, { observeEvery: 3 })).toMatchObject({ agreement: { ...counts, observations: 2 } });
  expect(run(WORK, WORK, { observeEvery: 4 })).toMatchObject({ agreement: { ...counts, observations: 1 } });
  const stopsAt6 = { ...counts, finish: 'limit', halted: null, retired: 6, hypercalls: 1, observations: 5 };
  expect(run(WORK, WORK, { limit: 6 })).toMatchObject({ agreement: stopsAt6 });
  expect(lockstep({ reference: bootOf(WORK), subject: bootOf(WORK) }, SUBJECT)).toMatchObject({
    agreement: { ...counts, observations: 3 },
  });
});

/** Nobody runs where anybody could see it: then nothing is out of order. */
const QUIET: Toy = { ...WORK, shows: () => ({ cpus: [] }) };

test('invariants are looked at when somebody asks for it, after every input that observations are compared after', () => {
  expect(run(QUIET, QUIET, { watch: true })).toMatchObject({ agreement: { observations: 7, looks: 7 } });
  expect(run(QUIET, QUIET, { watch: true, observeEvery: 3 })).toMatchObject({ agreement: { observations: 2, looks: 2 } });
  expect(run(WORK, WORK, { watch: false })).toMatchObject({ agreement: { looks: 0 } });
});

test('what both machines have out of order is told, where they agree, too', () => {
  expect(run(WORK, WORK, { watch: true })).toEqual({
    agree: false,
    divergence: {
      ...{ inputs: START.slice(0, 1), last: START[1], aspect: 'invariant', clauses: [] },
      difference: { path: 'gone/remains', expected: 'holds', seen: 'processor 0 runs d0v0' },
    },
  });
  const broken: Toy = { ...QUIET, shows: () => ({ cpus: [{ current: AT, holds: null, flushes: 0 }] }) };
  expect(run(broken, broken, { watch: true })).toMatchObject({ divergence: { inputs: [], aspect: 'invariant', clauses: [] } });
});

test('work without an end in sight is told of either machine', () => {
  const long = [{ call: 'iret', domid: 0, kind: 'port', units: 9 }] as const;
  const busy: Toy = { ...QUIET, work: (steps) => (steps === 8 ? long : undefined) };
  const found = { aspect: 'invariant', last: executed(4), difference: { path: 'work/bounded', expected: 'holds' } };
  expect(run(QUIET, busy, { watch: true })).toMatchObject({ divergence: found });
  expect(run(busy, QUIET, { watch: true })).toMatchObject({ divergence: found });
  expect(run(busy, QUIET)).toMatchObject({ agree: true });
});

test('clauses and questions are a matter of each machine', () => {
  expect(run({ end: 5 }, { ...WORK, end: 5, does: () => [] })).toMatchObject({ agree: true, agreement: { clauses: [] } });
});

test('a difference names the input that brought it, those before it, and the clauses of the reference', () => {
  const other: Toy = { ...WORK, does: (step) => (step === 9 ? [called] : (WORK.does?.(step) ?? [])) };
  expect(run(WORK, other)).toEqual({
    agree: false,
    divergence: {
      inputs: [...START, executed(4), { kind: 'time', now: 3_000_000_004 }, executed(4), { kind: 'time', now: 3_000_000_008 }],
      ...{ last: executed(4), aspect: 'events', clauses: ['b', 'b'] },
      difference: { path: 'events[0].kind', expected: 'console', seen: 'hypercall' },
    },
  });
});

test('a reference that cites nothing leaves the clauses out', () => {
  expect(run({ end: 10 }, WORK)).toMatchObject({ divergence: { aspect: 'events', clauses: [] } });
});

test('an observation that differs after an input is found there, and one that differs at boot before any', () => {
  const from = (first: number): Toy => ({ ...WORK, shows: (steps) => (steps >= first ? ({ console: 1 } as object) : {}) });
  expect(run(WORK, from(6))).toMatchObject({
    divergence: {
      aspect: 'observation',
      last: executed(4),
      inputs: [...START, executed(4), { kind: 'time' }],
      clauses: ['b', 'b', 'b', 'b'],
    },
  });
  expect(run(WORK, from(0))).toEqual({
    agree: false,
    divergence: {
      ...{ inputs: [], last: { kind: 'time', now: 0 }, aspect: 'observation', clauses: [] },
      difference: { path: 'console', expected: undefined, seen: 1 },
    },
  });
});

test('what is looked at once in a while is looked at in the end in any case', () => {
  const late: Toy = { ...WORK, shows: (steps) => (steps === 10 ? { retired: 11 } : {}) };
  const { divergence } = run(WORK, late, { observeEvery: 1000 }) as { divergence: object };
  expect(divergence).toMatchObject({
    aspect: 'observation',
    last: executed(4),
    clauses: [],
    difference: { path: 'retired', expected: 10, seen: 11 },
  });
  expect((divergence as { inputs: object[] }).inputs).toHaveLength(6);
  const atOnce: Toy = { end: 0, shows: () => ({}) };
  expect(run(atOnce, atOnce)).toMatchObject({ agree: true, agreement: { finish: 'halted', observations: 0 } });
});

test('machines that stop at the same thing that is not modelled agree that far', () => {
  const stops: Toy = {
    does: (step) => {
      if (step < 6) return [];
      throw new NotModelled('hvm_op/modify');
    },
  };
  expect(run(stops, stops)).toMatchObject({ agree: true, agreement: { finish: 'not_modelled', what: 'hvm_op/modify', retired: 4 } });
  expect(run(stops, {})).toMatchObject({ divergence: { aspect: 'ending', clauses: [], difference: { seen: 'went on' } } });
});

test('both machines are given up in the end, however it ends', () => {
  let given = 0;
  const toy: Toy = { ...WORK, disposed: () => given++ };
  run(toy, toy);
  expect(given).toBe(2);
  run(toy, { ...toy, end: 3 });
  expect(given).toBe(4);
  const bug: Toy = {
    ...toy,
    shows: () => {
      throw new RangeError('oops');
    },
  };
  expect(() => run(bug, toy)).toThrow('oops');
  expect(given).toBe(6);
  const lasting = (): Engine => Object.assign(engine(WORK), { dispose: undefined }) as unknown as Engine;
  expect(lockstep({ reference: lasting, subject: lasting }, SUBJECT)).toMatchObject({ agree: true });
});
