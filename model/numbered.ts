/** Things by small numbers, in an immutable table: blocks of 64 below one list. A change copies one block and the list. */

const BITS = 6;
const BLOCK = 1 << BITS;

class Block<T> {
  readonly items: readonly (T | null)[];
  /** How many are not null. */
  readonly used: number;
  constructor(items: readonly (T | null)[], used: number) {
    this.items = items;
    this.used = used;
  }
}

export type Numbered<T> = readonly (Block<T> | null)[];

/** A table with nothing in it. */
export const NONE_NUMBERED: Numbered<never> = [];

/** A table of a list: things by their place in it. */
export const numbered = <T>(list: readonly (T | null | undefined)[]): Numbered<T> =>
  Array.from({ length: Math.ceil(list.length / BLOCK) }, (_, b) => {
    const items = Array.from({ length: BLOCK }, (_, i) => list[b * BLOCK + i] ?? null);
    return new Block(items, items.filter((item) => item !== null).length);
  });

/** What has this number; null when nothing has. */
export const itemAt = <T>(table: Numbered<T>, number: number): T | null => table[number >> BITS]?.items[number & (BLOCK - 1)] ?? null;

/** The table with another thing, or nothing (null), at a number. */
export const withItem = <T>(table: Numbered<T>, number: number, item: T | null): Numbered<T> => {
  const at = number >> BITS;
  const old = table[at] ?? null;
  const items = old === null ? new Array<T | null>(BLOCK).fill(null) : old.items.slice();
  const before = items[number & (BLOCK - 1)];
  items[number & (BLOCK - 1)] = item;
  const blocks = table.slice();
  while (blocks.length < at) blocks.push(null);
  blocks[at] = new Block(items, (old?.used ?? 0) + (item === null ? 0 : 1) - (before === null ? 0 : 1));
  return blocks;
};

/** The lowest number from `first` on that nothing has. */
export const firstFree = <T>(table: Numbered<T>, first: number): number => {
  let number = first;
  for (; itemAt(table, number) !== null; number++) if (table[number >> BITS]?.used === BLOCK) number |= BLOCK - 1;
  return number;
};

/** Every number that something has, ascending, with what has it. */
export const itemsOf = <T>(table: Numbered<T>): (readonly [number, T])[] =>
  table.flatMap((block, b) =>
    block === null ? [] : block.items.flatMap((item, i) => (item === null ? [] : [[b * BLOCK + i, item] as const])),
  );
