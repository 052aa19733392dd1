import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Engine } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { locate } from './locate.ts';
import { type Divergence, lockstep, type Pair } from './lockstep.ts';
import { AT, bootOf, SUBJECT, type Toy } from './testing/toy.ts';

const wakes: Event = { kind: 'callback', at: AT, which: 'event' };
const POLICY = { slice: 16, nsPerStep: 1, seed: 0 };
const REFERENCE: Toy = { end: 60, cites: (step) => [`clause ${step}`] };

const partedBy = (subject: Toy, reference: Toy = REFERENCE): { pair: Pair; found: Divergence } => {
  const pair = { reference: bootOf(reference), subject: bootOf(subject) };
  const verdict = lockstep(pair, SUBJECT, { policy: POLICY });
  if (verdict.agree) return expect.unreachable();
  return { pair, found: verdict.divergence };
};
const located = (subject: Toy, reference?: Toy): Divergence => {
  const { pair, found } = partedBy(subject, reference);
  return locate(pair, SUBJECT, found);
};
const stepsOf = ({ inputs }: Divergence): number => inputs.reduce((sum, input) => sum + (input.kind === 'execute' ? input.steps : 0), 0);

test('the step that parts two machines is found, wherever it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.boolean(), (step, lasting) => {
      const subject: Toy = lasting
        ? { ...REFERENCE, shows: (steps) => (steps >= step ? { memory: 'n' } : {}) }
        : { ...REFERENCE, does: (n) => (n === step ? [wakes] : []) };
      const found = located(subject);
      expect(found).toMatchObject({
        last: { kind: 'execute', cpu: 0, steps: 1 },
        clauses: [`clause ${step}`],
        aspect: lasting ? 'observation' : 'events',
      });
      expect(stepsOf(found)).toBe(step - 1);
      expect(found.inputs.every((input) => input.kind !== 'execute' || input.steps > 0)).toBe(true);
    }),
  );
});

test('a reference that cites nothing leaves the clauses out', () => {
  const plain: Toy = { end: 60 };
  expect(located({ ...plain, does: (n) => (n === 7 ? [wakes] : []) }, plain).clauses).toEqual([]);
});

test('a step at which the reference itself stops has no clauses', () => {
  const stops: Toy = {
    ...REFERENCE,
    does: (n) => {
      if (n === 9) throw new RangeError('oops');
      return [];
    },
  };
  expect(located(REFERENCE, stops)).toMatchObject({
    ...{ aspect: 'ending', clauses: [], last: { steps: 1 } },
    difference: { path: 'ending', expected: 'total/machine: oops', seen: 'went on' },
  });
});

test('a difference at boot, in another input or in one step is as narrow as it can be', () => {
  const { pair, found } = partedBy({ ...REFERENCE, does: (n) => (n === 7 ? [wakes] : []) });
  const atBoot = { ...found, aspect: 'boot' as const };
  expect(locate(pair, SUBJECT, atBoot)).toBe(atBoot);
  const atTime = partedBy({ ...REFERENCE, shows: () => ({ now: 0 }) });
  expect(atTime.found.last.kind).toBe('time');
  expect(locate(atTime.pair, SUBJECT, atTime.found)).toBe(atTime.found);
  const ofOneStep = lockstep(pair, SUBJECT, { policy: { ...POLICY, slice: 1 } }) as { divergence: Divergence };
  expect(ofOneStep.divergence).toMatchObject({ last: { kind: 'execute', steps: 1 } });
  expect(locate(pair, SUBJECT, ofOneStep.divergence)).toBe(ofOneStep.divergence);
});

test('a difference that does not come again is left as it is', () => {
  const { found } = partedBy({ ...REFERENCE, does: (n) => (n === 7 ? [wakes] : []) });
  const alike = { reference: bootOf(REFERENCE), subject: bootOf(REFERENCE) };
  expect(locate(alike, SUBJECT, found)).toBe(found);
});

test('one that only whole slices show is left to the shortest of them', () => {
  // The machine tells wrongly how long a slice was, unless it was a single step.
  let last = 0;
  const subject: Toy = {
    ...REFERENCE,
    questions: (steps) => {
      const slice = steps - last;
      last = steps;
      return slice > 2 ? 1 : 0;
    },
  };
  const pair = {
    reference: bootOf({ ...REFERENCE, questions: () => 0 }),
    subject: () => {
      last = 0;
      return bootOf(subject)(SUBJECT.config, SUBJECT.images);
    },
  };
  const verdict = lockstep(pair, SUBJECT, { policy: POLICY });
  const found = locate(pair, SUBJECT, (verdict as { divergence: Divergence }).divergence);
  expect(found).toMatchObject({ aspect: 'questions', last: { kind: 'execute', steps: 3 }, clauses: ['clause 1', 'clause 2', 'clause 3'] });
  expect(stepsOf(found)).toBe(2);
});

test('a subject that no longer boots is told', () => {
  const { found } = partedBy({ ...REFERENCE, does: (n) => (n === 7 ? [wakes] : []) });
  const refuses = () => {
    throw new RangeError('no memory');
  };
  expect(() => locate({ reference: refuses, subject: bootOf() }, SUBJECT, found)).toThrow('a subject that booted no longer boots');
});

test('each machine of a trial is given up after it', () => {
  const counts = { booted: 0, given: 0 };
  const counting = (toy: Toy) => () => {
    counts.booted++;
    return bootOf({ ...toy, disposed: () => counts.given++ })(SUBJECT.config, SUBJECT.images);
  };
  const { found } = partedBy({ ...REFERENCE, does: (n) => (n === 7 ? [wakes] : []) });
  locate({ reference: counting(REFERENCE), subject: counting({ ...REFERENCE, does: (n) => (n === 7 ? [wakes] : []) }) }, SUBJECT, found);
  // Of 16 steps the one is found by four trials, and by one more that confirms it.
  expect(counts).toEqual({ booted: 10, given: 10 });
});

test('a machine that is never given up is no obstacle', () => {
  const { pair, found } = partedBy({ ...REFERENCE, does: (n) => (n === 7 ? [wakes] : []) });
  const lasting = (boot: Pair['reference']) => (): Engine =>
    Object.assign(boot(SUBJECT.config, SUBJECT.images), { dispose: undefined }) as unknown as Engine;
  expect(stepsOf(locate({ reference: lasting(pair.reference), subject: lasting(pair.subject) }, SUBJECT, found))).toBe(6);
});
