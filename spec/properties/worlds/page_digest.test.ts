import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Engine } from '../../engine.ts';
import { bytesOf } from '../testing/small_machine.ts';
import { digestOf, joined } from './page_digest.ts';

const engineOf = (page: Uint8Array, pageDigest?: (mfn: number) => number) =>
  ({ page: () => page, ...(pageDigest && { pageDigest }) }) as unknown as Engine;
const digest = (page: Uint8Array): number => digestOf(engineOf(page), 1);

test('an engine that keeps a digest is asked for it', () =>
  expect(
    digestOf(
      engineOf(bytesOf(), (mfn) => mfn + 1),
      6,
    ),
  ).toBe(7));

test('bytes have one digest, wherever they lie, and it is a whole number', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), (bytes) => {
      const page = bytesOf();
      page.set(bytes);
      expect(digest(page)).toBe(digest(bytes));
      expect(Number.isSafeInteger(digest(page))).toBe(true);
      expect(digest(page)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 20 },
  );
  expect(digest(bytesOf())).toBe(0);
});

test('every bit of every byte counts, and where it stands', () => {
  const seen = new Set([0]);
  for (let at = 0; at < 4096; at++)
    for (let bit = 0; bit < 8; bit++) {
      const page = bytesOf();
      page[at] = 1 << bit;
      seen.add(digest(page));
    }
  expect(seen.size).toBe(1 + 8 * 4096);
});

test('two words are told from the same two in other places', () => {
  const word = fc.record({ at: fc.integer({ min: 0, max: 511 }), value: fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn }) });
  fc.assert(
    fc.property(word, word, (a, b) => {
      fc.pre(a.at !== b.at && a.value !== b.value);
      expect(digest(bytesOf({ [a.at]: a.value, [b.at]: b.value }))).not.toBe(digest(bytesOf({ [a.at]: b.value, [b.at]: a.value })));
    }),
  );
});

test('pages drawn at random part in both sums', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), { minLength: 2, maxLength: 40 }), (words) => {
      const [a, b] = [words, words.with(-1, words.at(-1)! ^ 1n)].map((all) => digest(bytesOf({ ...all })));
      expect(Math.floor(a! / 0x200000)).not.toBe(Math.floor(b! / 0x200000));
      expect(a! % 0x200000).not.toBe(b! % 0x200000);
    }),
    // In 21 bits two sums are the same once in two million pairs.
    { numRuns: 50 },
  );
});

test('of two sums all bits of the first and the upper 21 of the second are kept', () => {
  expect(joined(1, 0)).toBe(0x200000);
  expect(joined(0, 0x7ff)).toBe(0);
  expect(joined(0, 0x800)).toBe(1);
  expect(joined(-1, -1)).toBe(Number.MAX_SAFE_INTEGER);
});
