import { expect, test } from 'vitest';
import { MUTANTS } from '../mutants/catalogue.ts';
import { runCampaign } from './campaign.ts';
import { stepCount } from './counterexample.ts';

function* freshSeeds(count: number): Generator<number> {
  const first = Math.floor(Date.now() / 1000) % 0x3fffffff;
  for (let seed = first; seed < first + count; seed++) yield seed;
}

test.each(MUTANTS.filter((m) => m.part === 'executor' || m.part === 'model'))(
  '$id ($summary) is found from fresh seeds, and its counterexample has at most 5 steps',
  async ({ id }) => {
    const result = await runCampaign({ seeds: freshSeeds(2000), mutant: id, stopAtFirst: true, budgetMs: 100_000 });
    expect(result.bugs).toEqual([]);
    expect(result.counterexamples.length).toBeGreaterThan(0);
    for (const c of result.counterexamples) expect(stepCount(c.program), JSON.stringify(c.program)).toBeLessThanOrEqual(5);
  },
  180_000,
);

test.each(MUTANTS.filter((m) => m.part === 'observation'))(
  'an observation that leaves something out is caught: $id, $summary',
  async ({ id }) => {
    const result = await runCampaign({ seeds: freshSeeds(60), mutant: id, stopAtFirst: true, budgetMs: 60_000, shrink: false });
    expect(result.bugs).toEqual([]);
    expect(result.counterexamples.length).toBeGreaterThan(0);
  },
  120_000,
);
