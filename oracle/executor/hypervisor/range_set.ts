/** Sets of numbers kept as ranges, as Xen keeps the ports and the device memory that a domain may use. */

type Range = { readonly first: number; readonly last: number };

export class RangeSet {
  /** Ascending; between two of them there is a gap. */
  ranges: readonly Range[];

  constructor(ranges: readonly (readonly [first: number, last: number])[] = []) {
    this.ranges = ranges.map(([first, last]) => ({ first, last }));
  }

  isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** All numbers from `first` to `last` are in the set. */
  contains(first: number, last: number): boolean {
    return this.ranges.some((range) => range.first <= first && last <= range.last);
  }

  add(first: number, last: number): void {
    const apart = this.ranges.filter((range) => range.last + 1 < first || range.first > last + 1);
    const joined = this.ranges.filter((range) => !apart.includes(range));
    const whole = {
      first: Math.min(first, ...joined.map((range) => range.first)),
      last: Math.max(last, ...joined.map((range) => range.last)),
    };
    this.ranges = [...apart, whole].sort((a, b) => a.first - b.first);
  }

  remove(first: number, last: number): void {
    this.ranges = this.ranges.flatMap((range) =>
      range.last < first || range.first > last
        ? [range]
        : [
            { first: range.first, last: first - 1 },
            { first: last + 1, last: range.last },
          ].filter((rest) => rest.first <= rest.last),
    );
  }

  /** The numbers begin in a gap behind some range, and reach another one. */
  beginsInGap(first: number, last: number): boolean {
    const below = this.ranges.filter((range) => range.first < first);
    const reached = this.ranges.some((range) => range.first > first && range.first <= last);
    return reached && below.length > 0 && below[below.length - 1].last < first - 1;
  }
}
