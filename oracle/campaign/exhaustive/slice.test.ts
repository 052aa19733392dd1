import { expect, test } from 'vitest';
import { candidatesOf, coreOf, inductiveCoreOf } from './configs.ts';
import { REACHABLE, SATISFYING } from './counts.ts';
import { induct } from './induction.ts';
import { search } from './search.ts';
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
  expect({ machines, left }).toEqual({ machines: 0, left: ['grants', 'page_types', 'channels', 'grants_device'] });
});

test('three domains that share one frame by two grants have as many states as ever', async () => {
  const core = coreOf('grants_domains');
  const { states, transitions, levels, violation, complete, sometimes } = await search(core, { states: 200_000 });
  expect({ violation, complete, never: Object.keys(core.sometimes).filter((what) => !sometimes.has(what)) }).toEqual({
    violation: null,
    complete: true,
    never: [],
  });
  expect({ states, transitions, longest: levels.length - 1 }).toEqual(REACHABLE.grants_domains);
}, 60_000);

test('two grants of two frames keep the invariants from every state that satisfies them', () => {
  const { states, transitions, violation } = induct(inductiveCoreOf('grants_frames'), candidatesOf('grants_frames'));
  expect({ violation, states, transitions }).toEqual({ violation: null, ...SATISFYING.grants_frames });
}, 60_000);

test('an invariant of grants that is not inductive is told with the step that leaves it', () => {
  const core = inductiveCoreOf('grants');
  const unused = core.slots.findIndex(({ name }) => name === 'd0 handle 0 is used');
  const never = { ...core, broken: (values: Int32Array) => core.broken(values) ?? (values[unused] === 1 ? 'a handle is used' : null) };
  expect(induct(never, candidatesOf('grants')).violation).toMatchObject({ what: 'a handle is used', action: 'd0 maps grant 0 at entry 0' });
});
