import { expect, test } from 'vitest';
import { contents } from './content.ts';

test('values have one number when they have the same content', () => {
  const of = contents(['skipped']);
  const one = { a: [1, { b: 2n }], skipped: 1 };
  expect(of(one)).toBe(of({ skipped: 2, a: [1, { b: 2n }] }));
  const others = [
    { a: [1, { b: 2 }] },
    { a: [1, { b: '2' }] },
    { a: [1, { b: 2n }, 3] },
    { a: [[1], { b: 2n }] },
    { a: new Map([[1, 2]]) },
    { a: new Set([1, 2]) },
    { a: Uint8Array.of(1, 2) },
    { a: null },
  ];
  expect(new Set([one, ...others].map(of)).size).toBe(1 + others.length);
});
