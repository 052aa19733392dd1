import { expect, test } from 'vitest';
import { REACHABLE, SATISFYING } from './counts.ts';
import { exploreSlice } from './slice.ts';

const sum = (of: typeof REACHABLE | typeof SATISFYING, what: 'states' | 'transitions'): number =>
  (['channels', 'grants', 'grants_device', 'page_types'] as const).reduce((total, name) => total + of[name]![what], 0);

test('the smallest machines have as many states as they have always had, and every transition keeps what must hold', async () => {
  expect(await exploreSlice(60_000)).toEqual({
    machines: 4,
    states: sum(REACHABLE, 'states'),
    satisfying: sum(SATISFYING, 'states'),
    transitions: sum(REACHABLE, 'transitions') + sum(SATISFYING, 'transitions'),
    wrong: [],
    left: [],
  });
}, 60_000);

test('what there is no time for is said', async () => {
  const { machines, left } = await exploreSlice(-1);
  expect({ machines, left }).toEqual({ machines: 0, left: ['grants', 'page_types', 'grants_device', 'channels'] });
});
