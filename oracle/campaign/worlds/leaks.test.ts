/** Leaks planted on purpose: each is found, by which condition, and its counterexample is small. */
import { expect, test } from 'vitest';
import { LEAKS } from '../../mutants/leaks.ts';
import { runWorlds } from './run.ts';

const RUNS = 800;
/** Seeds of this test; `check --worlds --mutant` takes fresh ones. */
const FIRST = 1;

test.each(LEAKS)(
  '$id ($summary) is found',
  async ({ id }) => {
    const { leak } = await runWorlds({ engine: 'executor', first: FIRST, runs: RUNS, mutant: id, workers: 1 });
    expect(leak).not.toBeNull();
    expect(leak!.condition).not.toBe('total');
    expect(leak!.steps, JSON.stringify(leak!.acts)).toBeLessThanOrEqual(12);
  },
  60_000,
);
