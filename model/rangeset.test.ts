import { expect, it } from 'vitest';
import { addRange, containsRange, type Rangeset, removeRange } from './rangeset.ts';

const SET: Rangeset = [
  [2, 3],
  [6, 9],
];

it('ranges that touch become one', () => {
  expect(addRange(SET, [4, 5])).toEqual([[2, 9]]);
  expect(addRange(SET, [4, 4])).toEqual([
    [2, 4],
    [6, 9],
  ]);
  expect(addRange(SET, [11, 12])).toEqual([...SET, [11, 12]]);
  expect(addRange(SET, [0, 20])).toEqual([[0, 20]]);
});

it('what is taken out leaves the rest on both sides', () => {
  expect(removeRange(SET, [7, 8])).toEqual([
    [2, 3],
    [6, 6],
    [9, 9],
  ]);
  expect(removeRange(SET, [3, 6])).toEqual([
    [2, 2],
    [7, 9],
  ]);
  expect(removeRange(SET, [4, 5])).toEqual(SET);
  expect(removeRange(SET, [0, 9])).toEqual([]);
});

it('a range is there when one holds all of it', () => {
  expect(
    [
      [2, 3],
      [3, 3],
      [3, 4],
      [2, 9],
      [10, 10],
    ].map(([first, last]) => containsRange(SET, [first!, last!])),
  ).toEqual([true, true, false, false, false]);
});
