import fc from 'fast-check';
import { expect, test } from 'vitest';
import { same } from './same.ts';

test('plain values are the same when their JSON is, whatever the order of fields', () => {
  const reversed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(reversed)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, inner]) => [name, reversed(inner)]),
          )
        : value;
  fc.assert(fc.property(fc.jsonValue(), (value) => same(value, reversed(structuredClone(value)))));
});

test('two values that JSON tells apart are not', () => {
  // Few names and few leaves, so that pairs are often alike in parts.
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 0, 1, 'a', true),
      fc.array(tie('value'), { maxLength: 2 }),
      tie('fields'),
    ),
    fields: fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2 }),
  }));
  const sorted = (given: unknown): string =>
    JSON.stringify(given, (_, inner) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
        : inner,
    );
  fc.assert(
    fc.property(value, value, (a, b) => same(a, b) === (sorted(a) === sorted(b))),
    { numRuns: 2000 },
  );
});

test.each([
  [[1, 2], [1]],
  [[1], [1, 2]],
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: 1, b: 2 }, { a: 1 }],
  [{ a: 1 }, null],
  [null, { a: 1 }],
  [{ a: 1 }, 1],
  [1, { a: 1 }],
  [{}, 'text'],
  ['text', {}],
  [null, {}],
  [{}, null],
])('%o is not %o', (a, b) => expect(same(a, b)).toBe(false));
