import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

const FRAMES = 100;

/** What `take` promises, by looking at every frame. */
const lowest = (free: readonly boolean[], order: number, limit: number): number => {
  const size = 2 ** order;
  for (let first = 0; first + size <= Math.min(limit, FRAMES); first += size) {
    if (free.slice(first, first + size).every((isFree) => isFree)) return first;
  }
  return -1;
};

test('the lowest run of its size is taken, whatever was taken and given back before', () => {
  const action = fc.record({
    order: fc.nat(5),
    limit: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(FRAMES)),
    give: fc.nat(FRAMES - 1),
  });
  fc.assert(
    fc.property(fc.nat(FRAMES), fc.array(action, { maxLength: 60 }), (first, actions) => {
      const heap = new Heap(first, FRAMES);
      const free = Array.from({ length: FRAMES }, (_, mfn) => mfn >= first);
      for (const { order, limit, give } of actions) {
        const expected = lowest(free, order, limit);
        expect(heap.take(order, limit)).toBe(expected);
        if (expected >= 0) free.fill(false, expected, expected + 2 ** order);
        if (!free[give]) {
          heap.give(give);
          free[give] = true;
        }
        expect(heap.free).toBe(free.filter((isFree) => isFree).length);
      }
    }),
  );
});
