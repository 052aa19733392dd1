/** A pair of worlds that shows a leak, made smaller. */
import type { Pair } from './pair.ts';

const without = (pair: Pair, place: number, from: number, to: number): Pair => ({
  ...pair,
  acts: pair.acts.map((both, p) => (p === place ? both.filter((_, i) => i < from || i >= to) : both)),
});

/** Acts are left out as long as the pair still leaks: all of a domain's, then halves, then one by one. */
export const shrinkPair = (pair: Pair, leaks: (less: Pair) => boolean): Pair => {
  let small = pair;
  for (let again = true; again; ) {
    again = false;
    for (const place of pair.acts.keys())
      for (let chunk = small.acts[place]!.length; chunk >= 1; chunk = Math.floor(chunk / 2))
        for (let at = 0; at < small.acts[place]!.length; ) {
          const less = without(small, place, at, at + chunk);
          if (leaks(less)) {
            small = less;
            again = true;
          } else at += chunk;
        }
  }
  return small;
};
