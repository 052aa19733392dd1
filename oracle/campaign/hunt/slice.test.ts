import { expect, test } from 'vitest';
import { MILESTONE } from '../../mutants/advisories/index.ts';
import type { Method } from './hunt.ts';
import { drawn, foundSoon, huntSlice } from './slice.ts';

test('each advisory is drawn once, in an order of the seed', () => {
  expect([...drawn(MILESTONE, 1)].sort()).toEqual([...MILESTONE].sort());
  expect([...drawn(MILESTONE, 1)]).toEqual([...drawn(MILESTONE, 1)]);
  expect([...drawn(MILESTONE, 1)]).not.toEqual([...drawn(MILESTONE, 2)]);
});

test('found soon is what every run beside the model found soon', () => {
  const run = (rows: Readonly<Record<string, number | null>>, method: Method = 'comparison') => ({
    ...{ only: 'all', seed: 1, budget: 60, methods: [method], date: '', commit: '' },
    mutants: Object.entries(rows).map(([id, seconds]) => ({ id, killed: seconds !== null, by: null, seconds, steps: null })),
  });
  expect(foundSoon([run({ 18: 2, 31: 2, 100: null, 7: 5.1 }), run({ 18: 5, 31: 40 }), run({ 18: null }, 'invariants')])).toEqual(['18']);
});

test('a planted defect is found, and told as found', { timeout: 180_000 }, async () => {
  expect(await huntSlice(['18'], { first: 7, budgetMs: 170_000, eachMs: 60_000 })).toEqual({ found: ['18'], missed: [] });
});

test('when the time is up nothing more is begun, and what was cut short counts as neither', { timeout: 60_000 }, async () => {
  expect(await huntSlice(['18', '31'], { first: 7, budgetMs: 1, eachMs: 60_000 })).toEqual({ found: [], missed: [] });
});
