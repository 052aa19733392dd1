import { expect, test } from 'vitest';
import { CLAUSES } from '#spec/clauses.ts';
import { measureClauses } from './measure.ts';
import type { Source } from './sources.ts';
import { loadSources } from './sources.ts';
import { WITHOUT_PROGRAM } from './without_program.ts';

const FEW_MS = 3000;

test('programs of every kind run, and each kind exercises clauses that no other does', async () => {
  const sources = await loadSources();
  const { sources: tallies, met, unmet } = await measureClauses(sources, { first: 1, budgetMs: FEW_MS });
  expect(tallies.map(({ name }) => name)).toEqual(sources.map(({ name }) => name));
  for (const { programs, clauses } of tallies) expect(Math.min(programs, clauses)).toBeGreaterThan(0);
  expect(new Set([...met.values()].map(({ source }) => source)).size).toBeGreaterThan(5);
  expect(met.size + unmet.length).toBeLessThanOrEqual(Object.keys(CLAUSES).length);
});

const source = (cited: readonly string[]): Source => ({ name: 'some', command: 'none', run: (_, cite) => cite(cited) });

test('what was met first, and where, is told; the rest is unmet unless a reason names it', async () => {
  const sources = [source(['tlb/all']), { ...source(['tlb/all', 'hypercall/preempted']), name: 'others', programs: () => 2 }];
  const { met, unmet, sources: tallies } = await measureClauses(sources, { first: 40, budgetMs: 2 });
  expect(met.get('tlb/all' as never)).toEqual({ source: 'some', seed: 40 });
  expect(met.get('hypercall/preempted' as never)).toEqual({ source: 'others', seed: 0 });
  expect(tallies[1]).toMatchObject({ programs: 2, clauses: 2, first: 1 });
  expect(unmet).not.toContain('tlb/all');
  const named = WITHOUT_PROGRAM.flatMap(({ clauses }) => clauses);
  expect(new Set([...unmet, ...named]).size).toBe(Object.keys(CLAUSES).length - 2);
});

test('no clause is named twice, and every reason has clauses that there are', () => {
  const named = WITHOUT_PROGRAM.flatMap(({ clauses }) => clauses);
  expect(new Set(named).size).toBe(named.length);
  for (const clause of named) expect(CLAUSES).toHaveProperty([clause]);
  for (const { why, clauses } of WITHOUT_PROGRAM) expect([why.length > 20, clauses.length > 0]).toEqual([true, true]);
});
