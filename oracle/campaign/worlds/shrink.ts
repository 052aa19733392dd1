/** A pair of worlds that shows a leak, made smaller. */
import type { Pair } from './pair.ts';

const without = (pair: Pair, place: number, from: number, to: number): Pair => ({
  ...pair,
  acts: pair.acts.map((both, p) => (p === place ? both.filter((_, i) => i < from || i >= to) : both)),
});

/** With fewer acts others run at other times, so that some other orders are tried before a smaller pair is given up. */
const ORDERS = 5;
const inSomeOrder = (pair: Pair, leaks: (less: Pair) => boolean): Pair | null => {
  for (let order = 0; order < ORDERS; order++) {
    const reordered = { ...pair, schedule: pair.schedule + order };
    if (leaks(reordered)) return reordered;
  }
  return null;
};

/** Acts are left out as long as the pair still leaks: all of a domain's, then halves, then one by one. */
export const shrinkPair = (pair: Pair, leaks: (less: Pair) => boolean): Pair => {
  let small = pair;
  for (let again = true; again; ) {
    again = false;
    for (const place of pair.acts.keys())
      for (let chunk = small.acts[place]!.length; chunk >= 1; chunk = Math.floor(chunk / 2))
        for (let at = 0; at < small.acts[place]!.length; ) {
          const less = inSomeOrder(without(small, place, at, at + chunk), leaks);
          if (less === null) at += chunk;
          else [small, again] = [less, true];
        }
  }
  return small;
};
