import { expect, test } from 'vitest';
import type { FrameObservation } from '../observation.ts';
import { pages, references, tallyOf, typeCounts } from './conservation.ts';
import { activeGrant, domain, entry, frame, type Parts, PRESENT, small, WRITABLE } from './testing/small_machine.ts';
import type { Invariant } from './view.ts';

/** 0x501 maps 0x502 twice, once to be written, and Xen's heap; a device reads 0x503. */
const whole: Record<number, FrameObservation> = {
  1281: frame(0x501, { type: 'l1', type_refs: 1, refs: 2, pinned: true }),
  1282: frame(0x502, { type: 'writable', type_refs: 1, refs: 3 }),
  1283: frame(0x503, { refs: 2 }),
};
const words = { 1281: { 0: entry(0x502), 1: entry(0x502, PRESENT | WRITABLE), 2: entry(0x405), 3: entry(0xa0), 4: entry(0x7f0) } };
const parts = (change: Record<number, Partial<FrameObservation>> = {}): Parts => ({
  domains: [domain(0, { pages: 3, active_grants: [activeGrant(8, 1, 0x503, { device_read: 1 })] })],
  frames: Object.values(whole).map((each) => ({ ...each, ...change[each.mfn] })),
  words,
});
const told = (invariant: Invariant, of: Parts) => [...invariant.violations(small(of))];

test('everything that is held is counted', () => {
  for (const invariant of [references, typeCounts, pages]) expect(told(invariant, parts())).toEqual([]);
  const tally = tallyOf(small(parts()));
  const held = [0x501, 0x502, 0x503, 0x405, 0x504].map((mfn) => [
    tally.held(mfn),
    tally.usedAs(mfn, 'l1'),
    tally.usedAs(mfn, 'writable'),
    tally.isUsedOtherwise(mfn, 'writable'),
  ]);
  expect(held).toEqual([
    [1, 1, 0, true],
    [2, 0, 1, false],
    [1, 0, 0, false],
    [1, 0, 0, false],
    [0, 0, 0, false],
  ]);
});

test.each<readonly [change: Record<number, Partial<FrameObservation>>, what: string]>([
  [{ 1282: { refs: 2 } }, 'frame 0x502 of d0 has 2 references; found are 2: entry 0 of l1 501, entry 1 of l1 501 as writable'],
  [{ 1283: { refs: 3, owner: null } }, 'frame 0x503 of Xen has 3 references; found are 1: grant 8 of d0, for a device'],
  [{ 1283: { allocated: false } }, 'frame 0x503 of d0 has 2 references; found are 1: grant 8 of d0, for a device'],
])('references: %o', (change, what) => expect(told(references, parts(change))).toEqual([what]));

test('a frame that was given back keeps the references of those who hold it, and at least one', () => {
  expect(told(references, parts({ 1283: { refs: 1, allocated: false } }))).toEqual([]);
  expect(told(references, { frames: [frame(0x510, { refs: 0, allocated: false })] })).toEqual([
    'frame 0x510 of d0 has 0 references; found are 0: none',
  ]);
});

test('a free frame is held by nobody', () => {
  const { frames = [], ...others } = parts();
  expect(told(references, { ...others, frames: frames.filter(({ mfn }) => mfn !== 0x502) })).toEqual([
    'frame 0x502 is free, yet held by entry 0 of l1 501, entry 1 of l1 501 as writable',
  ]);
});

test.each<readonly [change: Record<number, Partial<FrameObservation>>, what: string]>([
  [{ 1282: { type_refs: 2 } }, 'frame 0x502 of d0 has 2 uses as writable; found are 1: entry 0 of l1 501, entry 1 of l1 501 as writable'],
  [{ 1283: { type: 'writable', type_refs: 1 } }, 'frame 0x503 of d0 has 1 uses as writable; found are 0: grant 8 of d0, for a device'],
  [
    { 1282: { type: 'seg_desc', type_refs: 0 } },
    'frame 0x502 of d0 has 0 uses as seg_desc; found are 0: entry 0 of l1 501, entry 1 of l1 501 as writable',
  ],
])('types: %o', (change, what) => expect(told(typeCounts, parts(change))).toEqual([what]));

test('a frame is never writable and a page table', () => {
  const twice = { 1281: { 0: entry(0x501, PRESENT | WRITABLE) } };
  const table = frame(0x501, { type: 'l1', type_refs: 1, refs: 3, pinned: true });
  expect(told(typeCounts, { frames: [table], words: twice })).toEqual([
    'frame 0x501 of d0 has 1 uses as l1; found are 1: entry 0 of l1 501 as writable, its pin as l1',
  ]);
});

test('frames without counts, and those that Xen shares for good, are left out', () => {
  const frames = [0xa0, 0x7f0, 0x201, 0x405].map((mfn) => frame(mfn, { refs: 9, type: 'writable', type_refs: 9 }));
  for (const invariant of [references, typeCounts, pages]) expect(told(invariant, { frames })).toEqual([]);
  expect(told(references, { frames: [whole[0x501]!], words: { 1281: { 0: entry(0xa0), 1: entry(0x405) } } })).toEqual([]);
});

test('a domain has as many pages as frames are its own', () => {
  const frames = [frame(0x501), frame(0x502), frame(0x503, { owner: 1 }), frame(0x504, { owner: null })];
  const having = (...counts: number[]) => told(pages, { frames, domains: counts.map((count, domid) => domain(domid, { pages: count })) });
  expect(having(2, 1, 0)).toEqual([]);
  expect(having(1, 1)).toEqual(['d0 has 1 pages by its count; 2 frames are its own']);
  expect(having(2, 1, 4)).toEqual(['d2 has 4 pages by its count; 0 frames are its own']);
  expect(having(2)).toEqual(['d1 is gone, yet 1 frames are its own']);
});
