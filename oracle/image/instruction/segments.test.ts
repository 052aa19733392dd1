import { expect, it } from 'vitest';
import { descriptorOf, LDT_ENTRIES, limitOf, rightsOf, SEGMENTS, segmentCalled, segmentNamed, selectorOf } from './segments.ts';

it('a selector finds its segment, whatever the RPL', () => {
  for (const segment of SEGMENTS) {
    expect(segmentNamed(selectorOf(segment))).toBe(segment);
    expect(segmentNamed(selectorOf(segment) & ~3)).toBe(segment);
  }
  expect([segmentNamed(0), segmentNamed(3), segmentNamed(LDT_ENTRIES * 8 + 7)]).toEqual([undefined, undefined, undefined]);
});

it('descriptors are those of Linux for what Linux has', () => {
  const descriptor = (name: string) => descriptorOf(segmentCalled(name)).toString(16);
  expect([descriptor('flat code'), descriptor('flat data'), descriptor('64-bit code')]).toEqual([
    'cffb000000ffff',
    'cff3000000ffff',
    'affb000000ffff',
  ]);
});

it('limits count bytes, rights what the descriptor says', () => {
  expect(limitOf(segmentCalled('flat data'))).toBe(0xffffffff);
  expect(limitOf(segmentCalled('small data'))).toBe(0x1fff);
  expect(rightsOf(segmentCalled('absent data')) & 0x80).toBe(0);
  expect(rightsOf(segmentCalled('expand-down data')) & 0xf).toBe(7);
});
