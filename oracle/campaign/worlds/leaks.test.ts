/** Leaks planted on purpose: each is found, by which condition, and its counterexample is small. */
import { expect, test } from 'vitest';
import { LEAKS } from '../../mutants/leaks.ts';
import { runWorlds } from './run.ts';

/** A seed whose pair shows the leak: most are found within 100 pairs, the rarest within 350. */
const SEEDS: Readonly<Record<string, number>> = {
  'leak-scrub': 8,
  'leak-padding': 22,
  'leak-reply-length': 42,
  'leak-stale-grant': 198,
  'leak-grant-user': 9,
  'leak-grant-frame': 100,
  'leak-last-domid': 246,
  'leak-port-count': 7,
  'leak-event': 337,
  'leak-owner': 133,
  'leak-copy-page': 90,
  'leak-lazy-registers': 2,
};

test('every planted leak has its seed', () => expect(Object.keys(SEEDS).sort()).toEqual(LEAKS.map(({ id }) => id).sort()));

test.each(LEAKS)(
  '$id ($summary) is found',
  async ({ id }) => {
    const { leak } = await runWorlds({ engine: 'executor', first: SEEDS[id]!, runs: 1, mutant: id, workers: 1 });
    expect(leak).not.toBeNull();
    expect(leak!.condition).not.toBe('total');
    expect(leak!.steps, JSON.stringify(leak!.acts)).toBeLessThanOrEqual(12);
  },
  60_000,
);
