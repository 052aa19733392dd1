/** A page of memory that tells which of its words somebody looks at. */
import type { Machine } from '#model/machine.ts';
import { pageOf, withPageOf } from '#model/memory/memory.ts';
import { Leaf, Page } from '#model/memory/page.ts';
import { isWatched, watchedArray } from './watch.ts';

const LEAF_WORDS = 32;

/** `words`: by their numbers in the page those that slots tell, with the slots. Others are constants. */
export const pageWatch = (mfn: number, words: ReadonlyMap<number, readonly number[]>, onTouch: (slot: number) => void) => {
  const leaves = new Set([...words.keys()].map((word) => word >> 5));
  const touch = (word: number): void => {
    for (const slot of words.get(word) ?? []) onTouch(slot);
  };
  const watchedLeaf = (leaf: Leaf, l: number): Leaf =>
    leaves.has(l) ? new Leaf(watchedArray(leaf.words, (word) => touch(l * LEAF_WORDS + word))) : leaf;
  return {
    watch: (machine: Machine): Machine => {
      const page = new Page(pageOf(machine.memory, mfn).leaves.map(watchedLeaf));
      return { ...machine, memory: withPageOf(machine.memory, mfn, page) };
    },
    /** A leaf that came in another's place hides what was there. */
    settle: (after: Machine): void => {
      const page = pageOf(after.memory, mfn);
      for (const l of leaves)
        if (!isWatched(page.leaves[l]!.words)) for (let word = 0; word < LEAF_WORDS; word++) touch(l * LEAF_WORDS + word);
    },
  };
};
