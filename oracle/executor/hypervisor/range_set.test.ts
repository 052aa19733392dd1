import { expect, it } from 'vitest';
import { RangeSet } from './range_set.ts';

const told = (set: RangeSet): string => set.ranges.map(({ first, last }) => `${first}-${last}`).join(' ');

it('joins what touches, and splits what loses its middle', () => {
  const set = new RangeSet();
  set.add(10, 19);
  set.add(30, 39);
  set.add(20, 20);
  expect(told(set)).toBe('10-20 30-39');
  set.add(21, 29);
  expect(told(set)).toBe('10-39');
  set.remove(15, 16);
  expect(told(set)).toBe('10-14 17-39');
  set.remove(10, 17);
  expect(told(set)).toBe('18-39');
  expect([set.contains(18, 39), set.contains(17, 18), set.contains(39, 40)]).toEqual([true, false, false]);
});

it('knows a range that begins in a gap and reaches over it', () => {
  const set = new RangeSet([
    [10, 19],
    [30, 39],
  ]);
  expect([set.beginsInGap(25, 35), set.beginsInGap(20, 35), set.beginsInGap(25, 28), set.beginsInGap(5, 35)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
