import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkDescriptor, checked } from './descriptor.ts';

const PRESENT = 0x8000;
const ORDINARY = 0x1000;
const half = fc.integer({ min: -0x80000000, max: 0x7fffffff });
/** Mostly present, and often a call gate without reserved bits. */
const upper = fc.oneof(
  half,
  half.map((hi) => hi | PRESENT),
  half.map((hi) => (hi & 0xffff00ff & ~0xff) | 0x8c00),
);
const dpl = (hi: number): number => (hi >>> 13) & 3;

const accepted = (lo: number, hi: number): { readonly lo: number; readonly hi: number } | null =>
  checkDescriptor(lo, hi) ? { ...checked } : null;

test('what Xen accepts leads nowhere but to ring 3, or faults', () => {
  fc.assert(
    fc.property(half, upper, (lo, hi) => {
      const found = accepted(lo, hi);
      if (found === null || (found.hi & PRESENT) === 0) return;
      const isGate = (found.hi & 0xf00) !== 0 && (found.hi & ORDINARY) === 0;
      expect(dpl(found.hi)).toBe(isGate ? 0 : (found.hi & ORDINARY) !== 0 ? 3 : dpl(hi));
      if (isGate) expect(found.hi & 0x1fff).toBe(0xc00);
    }),
  );
});

test('putting right changes nothing but privileges, and once is enough', () => {
  fc.assert(
    fc.property(half, upper, (lo, hi) => {
      const once = accepted(lo, hi);
      if (once === null) return;
      expect(accepted(once.lo, once.hi)).toEqual(once);
      expect((once.hi ^ hi) & ~0x6000).toBe(0);
      expect((once.lo ^ lo) & ~0x30000).toBe(0);
    }),
  );
});

test('a descriptor that is not present may be anything', () => {
  fc.assert(
    fc.property(half, half, (lo, hi) => {
      expect(accepted(lo, hi & ~PRESENT)).toEqual({ lo, hi: hi & ~PRESENT });
    }),
  );
});
