/** Sets of numbers as ranges, as Xen keeps what a domain may use: in order, and never touching each other. */

export type Range = readonly [first: number, last: number];
export type Rangeset = readonly Range[];

/** Whether one range holds all of them. */
export const containsRange = (set: Rangeset, [first, last]: Range): boolean => set.some(([from, to]) => from <= first && last <= to);

export const addRange = (set: Rangeset, [first, last]: Range): Rangeset => {
  const near = set.filter(([from, to]) => from <= last + 1 && first <= to + 1);
  const joined: Range = [Math.min(first, ...near.map(([from]) => from)), Math.max(last, ...near.map(([, to]) => to))];
  return [...set.filter((range) => !near.includes(range)), joined].sort(([a], [b]) => a - b);
};

export const removeRange = (set: Rangeset, [first, last]: Range): Rangeset =>
  set.flatMap(([from, to]): readonly Range[] => {
    if (to < first || last < from) return [[from, to]];
    return [...(from < first ? [[from, first - 1] as const] : []), ...(to > last ? [[last + 1, to] as const] : [])];
  });
