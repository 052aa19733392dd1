import { expect, test } from 'vitest';
import { rowsWithoutPairs, WITHOUT_ORDER } from './unordered.ts';

test('every row that is answered is asked with two mistakes at once, but those that have a reason', () => {
  expect([...rowsWithoutPairs()].sort()).toEqual(Object.keys(WITHOUT_ORDER).sort());
});
