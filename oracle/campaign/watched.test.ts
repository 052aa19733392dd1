/** Campaigns look at the invariants: in every program when asked, else in a share of them. */
import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { WATCHED_OF } from './judge.ts';

const seedsFrom = (first: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => first + i);

test.each([
  ['mixed', 24],
  ['dense', 4],
  ['varied', 24],
] as const)('in every program of a campaign (%s)', async (work, programs) => {
  const first = Math.floor(Date.now() / 1000) % 0x3fffffff;
  const result = await runCampaign({ seeds: seedsFrom(first, programs), work, watch: true, stopAtFirst: true, budgetMs: 60_000 });
  expect(result.bugs).toEqual([]);
  expect(result.counterexamples.map(({ seed, divergence }) => ({ seed, divergence }))).toEqual([]);
  expect([result.watched, result.looks]).toEqual([result.programs, result.observations]);
  expect(result.looks).toBeGreaterThan(programs);
});

test('in a share of them, unless somebody asks', async () => {
  const result = await runCampaign({ seeds: seedsFrom(WATCHED_OF * 5, WATCHED_OF), stopAtFirst: true, budgetMs: null });
  expect([result.programs, result.watched, result.counterexamples.length]).toEqual([WATCHED_OF, 1, 0]);
  expect(result.looks).toBeGreaterThan(0);
  expect(result.looks).toBeLessThan(result.observations);
});
