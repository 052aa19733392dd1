import { expect, test } from 'vitest';
import { mutantOfAdvisory } from '../../mutants/advisories/index.ts';
import { measured, type Run, runOf, withRun } from './measured.ts';
import { pageOf, quantile } from './page.ts';

const about = { only: '18', seed: 5, budget: 60, methods: ['comparison'] as const, date: '2026-01-02', commit: 'abcdef0' };
const row = (id: string, killed: boolean) => ({
  ...{ id, expressible: true, killed, by: killed ? ('comparison' as const) : null },
  ...{ seconds: killed ? 1.234 : null, steps: killed ? 2 : null },
});

test('what was measured can be read, and is about advisories that the machine can have', () => {
  for (const { mutants } of measured()) for (const { id } of mutants) expect(mutantOfAdvisory(id), id).toBeDefined();
});

test('of a run the rows are kept that were hunted', () => {
  const run = runOf(about, [row('18', true), { ...row('16', false), expressible: false }]);
  expect(run.mutants).toEqual([{ id: '18', killed: true, by: 'comparison', seconds: 1.2, steps: 2 }]);
});

test('a run goes on from itself, and stands beside others', () => {
  const first = runOf(about, [row('18', false)]);
  const again = runOf({ ...about, only: '18,31' }, [row('18', true), row('31', true)]);
  const [whole, ...none] = withRun([first], again) as [Run, ...Run[]];
  expect(none).toEqual([]);
  expect(whole.only).toBe('18,31');
  expect(whole.mutants.map(({ id, killed }) => [id, killed])).toEqual([
    ['18', true],
    ['31', true],
  ]);
  expect(withRun([first], runOf({ ...about, seed: 6 }, []))).toHaveLength(2);
});

test('the page tells who survived, and how many of each group were hunted', () => {
  const page = pageOf([runOf(about, [row('18', true), row('31', false)])]);
  expect(page).toContain('| comparison: 5 at `abcdef0` | milestone | 2 of 30 | 1 (50 %) | 1.2 | 2 | 2 |');
  expect(page).toContain('comparison, 1.2 s, 2 steps |');
  expect(page).toMatch(/^\| 31 \|.*\*\*survived\*\* \|$/m);
  expect(page).toContain('`xenspec mutants --only 18 --seed 5 --budget 60 --by "comparison" --record`');
});

test('a run of several groups has a line for all that it hunted', () => {
  const page = pageOf([runOf(about, [row('18', true), row('13', true), row('14', false)])]);
  expect(page).toMatch(/\| all \| 3 of \d+ \| 2 \(66\.7 %\) \|/);
  expect(pageOf([runOf(about, [row('18', true)])])).not.toContain('| all |');
});

test('a quantile is a value that was measured', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(quantile([1, 2, 3, 4], 0.95)).toBe(4);
  expect(quantile([], 0.5)).toBeNull();
});
