import { expect, test } from 'vitest';
import { neutral } from './neutral.ts';
import { small } from './testing/small_machine.ts';

test('each flag that stayed is told', () => {
  expect([...neutral.violations(small({}))]).toEqual([]);
  expect([...neutral.violations({ ...small({}), left: ['a timer is due', 'a multicall goes on'] })]).toEqual([
    'when all was over: a timer is due',
    'when all was over: a multicall goes on',
  ]);
});
