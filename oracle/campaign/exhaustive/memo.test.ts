import { describe, expect, test } from 'vitest';
import { ModelBug } from '#spec/failure.ts';
import { coreOf } from './configs.ts';
import { Memo } from './memo.ts';
import { Outcomes } from './outcome.ts';
import { isWatched, watchedArray } from './watch.ts';

describe('a memo', () => {
  const memo = new Memo<string>([2, 3, 2]);
  memo.learn(Int32Array.of(0, 2, 1), [1, 0], 'asked for two');
  test('knows states that agree in what was looked at', () => {
    expect(memo.look(Int32Array.of(0, 2, 0))).toBe('asked for two');
    expect(memo.look(Int32Array.of(1, 2, 0))).toBeNull();
    expect(memo.look(Int32Array.of(0, 1, 0))).toBeNull();
  });
  test('lets other answers lead to other questions', () => {
    memo.learn(Int32Array.of(0, 1, 1), [1, 2], 'asked for another');
    expect(memo.look(Int32Array.of(1, 1, 1))).toBe('asked for another');
  });
  test('refuses a transition that asks otherwise for the same answers', () => {
    expect(() => memo.learn(Int32Array.of(0, 0, 0), [0], 'no function')).toThrow(ModelBug);
    expect(() => memo.learn(Int32Array.of(0, 2, 0), [1], 'less')).toThrow('asked for less than before');
  });
});

describe('a watched array', () => {
  test.each<[string, (array: readonly number[]) => unknown, readonly number[]]>([
    ['an element', (array) => array[1], [1]],
    ['a length', (array) => array.length, []],
    ['a search', (array) => array.indexOf(20), [0, 1]],
    ['a copy', (array) => array.slice(), []],
    ['an element of a copy', (array) => array.slice()[2], [2]],
    ['a part', (array) => array.slice(1), [0, 1, 2]],
    ['a change of a copy', (array) => array.with(0, 5), [0]],
    ['all', (array) => [...array], [0, 1, 2]],
    ['a write', (array) => Object.assign(array.slice(), { 1: 4 }), [1]],
  ])('tells of %s', (_, act, expected) => {
    const touched = new Set<number>();
    act(watchedArray([10, 20, 30], (index) => touched.add(index)));
    expect([...touched]).toEqual(expected);
  });
  test('makes copies that are watched too', () => {
    const array = watchedArray([1, 2], () => {});
    expect([array, array.slice(), array.with(0, 3), [...array]].map(isWatched)).toEqual([true, true, true, false]);
    expect([...array.with(0, 3)]).toEqual([3, 2]);
  });
});

test('an outcome that is remembered wrongly is found when it is worked out again', () => {
  const core = coreOf('channels');
  const initial = new Int32Array(core.slots.length);
  // It sees the first port by a way that nobody watches.
  const hidden = new Int32Array([0]);
  const outcomes = new Outcomes({
    ...core,
    actions: [{ name: 'd0 guesses', apply: (machine) => (hidden[0] === 0 ? machine : null) }],
  });
  outcomes.of(initial, 0);
  hidden[0] = 1;
  expect(() => {
    for (let i = 0; i < 100_000; i++) outcomes.of(initial, 0);
  }).toThrow('d0 guesses looked at something that it was not seen to look at');
});
