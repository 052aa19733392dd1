import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstDifference } from './difference.ts';

test('equal values have no difference', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => firstDifference(value, structuredClone(value)) === null));
});

/** Paths and values of all leaves. */
const leaves = (value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] => {
  if (Array.isArray(value)) return value.flatMap((v, i) => leaves(v, [...path, i]));
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([k, v]) => leaves(v, [...path, k]));
  return [path];
};

test('a change of any leaf is found', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), (value, pick) => {
      const all = leaves(value);
      if (all.length === 0 || all[0]!.length === 0) return;
      const path = all[pick % all.length]!;
      const changed = structuredClone(value) as Record<string | number, unknown>;
      let at = changed;
      for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
      at[path.at(-1)!] = 'something else';
      const found = firstDifference(value, changed);
      if (JSON.stringify(value) === JSON.stringify(changed)) return;
      expect(found).not.toBeNull();
      expect(found!.seen).toBe('something else');
    }),
  );
});

test('a missing key, an extra key, a shorter list are differences', () => {
  expect(firstDifference({ a: 1 }, {})).toEqual({ path: 'a', expected: 1, seen: undefined });
  expect(firstDifference({}, { a: 1 })).toEqual({ path: 'a', expected: undefined, seen: 1 });
  expect(firstDifference([1, 2], [1])).toEqual({ path: '[1]', expected: 2, seen: undefined });
  expect(firstDifference({ a: [] }, { a: {} })?.path).toBe('a');
});

test('the path leads to where values part, from the name that the whole has', () => {
  expect(firstDifference({ a: [{ b: { c: 1 } }] }, { a: [{ b: { c: 2 } }] })).toEqual({ path: 'a[0].b.c', expected: 1, seen: 2 });
  expect(firstDifference([[1], 2], [[1], 3], 'events')).toEqual({ path: 'events[1]', expected: 2, seen: 3 });
  expect(firstDifference([[1], [2]], [[1], [3]], 'events')).toEqual({ path: 'events[1][0]', expected: 2, seen: 3 });
  expect(firstDifference({ a: 1 }, { a: 1, b: 2, c: 3 }, 'status')).toEqual({ path: 'status.b', expected: undefined, seen: 2 });
  expect(firstDifference([1], [1, 2])).toEqual({ path: '[1]', expected: undefined, seen: 2 });
  expect(firstDifference({ a: 1, b: undefined }, { a: 1 })).toBeNull();
});

test.each([
  [{ a: 1 }, null],
  [null, { a: 1 }],
  [{ a: 1 }, 'text'],
  ['text', { a: 1 }],
  [{}, []],
  [[], {}],
  [{}, undefined],
  [0, -0],
])('%o and %o part as a whole', (expected, seen) => expect(firstDifference(expected, seen, 'it')).toEqual({ path: 'it', expected, seen }));
