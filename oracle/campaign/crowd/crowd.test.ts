/** Crowds: drawn alike from a seed, compared in lockstep, and made smaller when machines part. */
import { expect, test } from 'vitest';
import type { Engine } from '#spec/engine.ts';
import { loadEngine } from '../engines.ts';
import { checkCrowds, shrinkCrowd, subjectOf } from './check.ts';
import { type Crowd, drawCrowd } from './draw.ts';
import { disksOf, machineOf } from './machine.ts';

const [model, executor] = [await loadEngine('model'), await loadEngine('executor')];

test('a seed draws the same crowd each time, and two to four domains make one', () => {
  const images = (seed: number, domains: number) => subjectOf(drawCrowd(seed, domains, 40)).images;
  expect(images(5, 3)).toEqual(images(5, 3));
  expect(images(5, 3)).not.toEqual(images(6, 3));
  expect([2, 3, 4].map((domains) => images(1, domains).length)).toEqual([2, 3, 4]);
  expect(() => drawCrowd(1, 5, 10)).toThrow(RangeError);
});

test('model and executor agree on crowds of every size, and domains deal with each other', () => {
  const { crowds, hypercalls, byDomains, clauses, counterexample } = checkCrowds(
    { reference: model, subject: executor },
    { first: 1, programs: 9, domains: [2, 3, 4] },
  );
  expect(counterexample).toBeNull();
  expect(crowds).toBe(9);
  expect(hypercalls).toBeGreaterThan(10_000);
  expect([...byDomains].sort()).toEqual([
    [2, 3],
    [3, 3],
    [4, 3],
  ]);
  // What takes two domains: a port bound from outside, a grant that is mapped and one that is copied from, a frame that changes hands.
  for (const clause of [
    'evtchn/bind_interdomain-bound',
    'evtchn/send-interdomain',
    'gnttab/map-done',
    'gnttab/copy-entry',
    'sched/switch-out',
  ])
    expect(clauses).toContain(clause);
});

test('a machine that forgets events of the third domain is found out, and the crowd shrinks', () => {
  const forgetful: typeof executor = (config, images) => {
    const engine: Engine = executor(config, images);
    return {
      ...engine,
      status: () => engine.status(),
      observe: () => engine.observe(),
      populated: () => engine.populated(),
      page: (mfn) => engine.page(mfn),
      frames: () => engine.frames(),
      apply: (input) => {
        const report = engine.apply(input);
        return { ...report, events: report.events.filter((event) => event.kind !== 'hypercall' || event.at.domid !== 2) };
      },
    };
  };
  const { counterexample } = checkCrowds({ reference: executor, subject: forgetful }, { first: 3, programs: 1, domains: [3] });
  const steps = counterexample!.crowd.programs.map((program) => program.steps.length);
  expect(counterexample!.crowd.programs).toHaveLength(3);
  expect(steps[0]! + steps[1]! + steps[2]!).toBeLessThanOrEqual(2);
});

test('where others need time and nothing else of domain 0, all that is left of it is a wait', () => {
  const takesTime = ({ programs }: Crowd, d: number): boolean =>
    programs[d]!.steps.some((step) => step.do === 'calls' || (step.do === 'code' && step.code.length > 1));
  const small = shrinkCrowd(drawCrowd(3, 3, 40), (less) => takesTime(less, 0) && takesTime(less, 1));
  expect(small.programs[0]!.steps).toMatchObject([{ do: 'code', code: [{ op: 'mov' }, { op: 'loop' }] }]);
  expect(small.programs[2]!.steps).toEqual([]);
});

test('seeds draw the machine, too', () => {
  const machines = Array.from({ length: 22 }, (_, seed) => machineOf(seed, 3, '4.17'));
  const some = (which: (machine: (typeof machines)[number]) => boolean) => new Set(machines.map(which)).size;
  expect(some(({ host }) => host === 'empty')).toBe(2);
  expect(some(({ xen }) => xen.build_id === '')).toBe(2);
  expect(some(({ domains }) => domains.some(({ vcpus }) => vcpus === 2))).toBe(2);
  for (const [seed, { domains }] of machines.entries())
    expect(disksOf(seed, 3).map(({ length }) => length)).toEqual(domains.flatMap(({ initrd }) => initrd ?? []));
});
