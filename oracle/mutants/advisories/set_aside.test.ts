import { expect, test } from 'vitest';
import { MILESTONE } from './milestone.ts';
import { ADVISORIES } from './rows.ts';
import { drawSetAside, SET_ASIDE } from './set_aside.ts';

test('the rows that are set aside are a third of those outside the milestone, as the lot fell', () => {
  expect(SET_ASIDE).toEqual(drawSetAside());
  expect(SET_ASIDE).toHaveLength(Math.floor((ADVISORIES.length - MILESTONE.length) / 3));
});

test('every advisory is listed once, and the milestone is among them', () => {
  const ids = ADVISORIES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(MILESTONE.filter((id) => !ids.includes(id))).toEqual([]);
  expect(MILESTONE).toHaveLength(30);
});
