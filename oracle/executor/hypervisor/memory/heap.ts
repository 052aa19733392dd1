/** Frames that nobody owns and that domains may be given: which run of 2^n of them, aligned to its size, is the lowest. */

/**
 * A tree over all frames. Node i of level l stands for the 2^l frames from i * 2^l on, and holds 1 + the largest order of a free run below it; 0
 * when no frame is free.
 */
export class Heap {
  /** Free frames. */
  free = 0;
  private readonly levels: Uint8Array[] = [];

  /** The frames from `first` up to `end` are free. */
  constructor(first: number, end: number) {
    let width = 1;
    while (width < end) width *= 2;
    for (let level = 0; width >> level > 0; level++) this.levels.push(new Uint8Array(width >> level));
    if (end <= first) return;
    this.free = end - first;
    this.levels[0].fill(1, first, end);
    for (let level = 1; level < this.levels.length; level++) {
      const last = (end - 1) >> level;
      for (let node = first >> level; node <= last; node++) this.join(level, node);
    }
  }

  /** Take the lowest free run of 2^order frames that ends at `limit` at most. Answers its first frame; -1 when there is none. */
  take(order: number, limit: number): number {
    const top = this.levels.length - 1;
    if (order > top || this.levels[top][0] <= order) return -1;
    let node = 0;
    for (let level = top; level > order; level--) {
      node *= 2;
      if (this.levels[level - 1][node] <= order) node++;
    }
    const size = 2 ** order;
    const first = node * size;
    if (first + size > limit) return -1;
    for (let level = 0; level <= order; level++) this.levels[level].fill(0, first >> level, ((first + size - 1) >> level) + 1);
    this.update(order, node);
    this.free -= size;
    return first;
  }

  /** A frame that is not free becomes free. */
  give(mfn: number): void {
    this.levels[0][mfn] = 1;
    this.update(0, mfn);
    this.free++;
  }

  /** A node has changed: those above follow. */
  private update(from: number, index: number): void {
    for (let level = from + 1, node = index >> 1; level < this.levels.length; level++, node >>= 1) this.join(level, node);
  }

  private join(level: number, node: number): void {
    const below = this.levels[level - 1];
    const left = below[2 * node];
    const right = below[2 * node + 1];
    this.levels[level][node] = left === level && right === level ? level + 1 : left > right ? left : right;
  }
}
