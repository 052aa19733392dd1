import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRAME_TYPES } from '../observation.ts';
import { entries, entryOf, levelOf, tables } from './page_tables.ts';
import { entry, frame, PRESENT, small, WRITABLE } from './testing/small_machine.ts';

/** A table whose every entry is present, and leads to the frame behind the table that has its index. */
const full = Object.fromEntries(Array.from({ length: 512 }, (_, i) => [i, entry(0x1000 + i)]));
const view = small({ words: { 1280: full } });
const indices = (level: 1 | 2 | 3 | 4, partial: { entries: number; nested: boolean } | null = null) =>
  [...entries(view, frame(0x500, { partial }), level)].map(({ index }) => index);

test('a frame is a table of the level that its type says while it is used as one', () => {
  expect(FRAME_TYPES.map((type) => levelOf(frame(1, { type, type_refs: 1 })))).toEqual([
    ...[undefined, undefined, 1, 2],
    3,
    4,
    undefined,
    undefined,
  ]);
  expect(levelOf(frame(1, { type: 'l1' }))).toBeUndefined();
  const [l1, l4] = [frame(3, { type: 'l1', type_refs: 1 }), frame(5, { type: 'l4', type_refs: 9 })];
  expect([...tables(small({ frames: [l1, frame(4, { type: 'writable', type_refs: 1 }), l4] }))]).toEqual([
    { frame: l1, level: 1 },
    { frame: l4, level: 4 },
  ]);
});

test('an entry says frame and rights when it is present', () => {
  const at = (word: bigint) => entryOf(small({ words: { 1280: { 7: word } } }), 0x500, 1, 7);
  const leads = { table: 0x500, level: 1, index: 7 };
  expect(at(0n)).toBeNull();
  expect(at(entry(0x123, WRITABLE))).toBeNull();
  expect(at(entry(0x123))).toEqual({ ...leads, mfn: 0x123, writable: false });
  expect(at(entry(0x123, PRESENT | WRITABLE))).toEqual({ ...leads, mfn: 0x123, writable: true });
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (word) => {
      const mfn = Number((word >> 12n) % (1n << 40n));
      expect(at(word)).toEqual(word % 2n === 0n ? null : { ...leads, mfn, writable: (word >> 1n) % 2n === 1n });
    }),
  );
});

test('all entries of a table count, but those of a level 4 table that are Xen’s', () => {
  const all = Array.from({ length: 512 }, (_, i) => i);
  for (const level of [1, 2, 3] as const) expect(indices(level)).toEqual(all);
  expect(indices(4)).toEqual(all.filter((index) => index < 256 || index >= 272));
});

test('of a table that is validated half way those count that have been', () => {
  expect(indices(2, { entries: 3, nested: true })).toEqual([0, 1, 2]);
  expect(indices(2, { entries: 0, nested: false })).toEqual([]);
});
