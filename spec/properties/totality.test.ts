import { expect, test } from 'vitest';
import { small } from './testing/small_machine.ts';
import { totality } from './totality.ts';

test('a machine that goes on is in order, one that ended by itself says by what', () => {
  expect([...totality.violations(small({}))]).toEqual([]);
  expect([...totality.violations({ ...small({}), fault: 'a frame has no owner' })]).toEqual(['a frame has no owner']);
});
