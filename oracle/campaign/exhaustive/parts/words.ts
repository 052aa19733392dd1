/** Words of memory, each of which has one of a few values. */
import type { Machine } from '#model/machine.ts';
import { type Memory, pageOf, settled, withPageOf } from '#model/memory/memory.ts';
import { EMPTY_PAGE, Page, pageWithWord } from '#model/memory/page.ts';
import { Tree } from '#model/memory/tree.ts';
import { equal, type Word } from '#model/word/word.ts';
import { pageWatch } from '../memory_watch.ts';
import { outside, type Part } from './part.ts';

/** A word by its frame and its number there. */
export type Cell = { readonly name: string; readonly mfn: number; readonly index: number; readonly values: readonly Word[] };

const keyOf = ({ hi, lo }: Word): string => `${hi},${lo}`;

/** The frames are among those written last, up to four of them: changes of theirs leave the tree of all others as it is. */
export const atHand = (machine: Machine, mfns: readonly number[]): Machine => {
  const write = (memory: Memory, mfn: number): Memory => withPageOf(memory, mfn, new Page(pageOf(memory, mfn).leaves));
  return { ...machine, memory: [...new Set(mfns)].slice(0, 4).reduce(write, machine.memory) };
};

const newest = ({ mfn0, mfn1, mfn2, mfn3 }: Memory): readonly number[] => [mfn0, mfn1, mfn2, mfn3];

/** Frames whose contents two memories do not share, though they may be equal. */
const changedFrames = (left: Memory, right: Memory): readonly number[] => {
  if (left.tree === right.tree) {
    const known = newest(left);
    const others = newest(right).filter((mfn) => !known.includes(mfn));
    return [...known, ...others].filter((mfn) => mfn >= 0 && pageOf(left, mfn) !== pageOf(right, mfn));
  }
  const frames: number[] = [];
  const compare = (a: Tree | Page | null, b: Tree | Page | null, level: number, first: number): void => {
    if (a === b) return;
    if (level < 0) {
      frames.push(first);
      return;
    }
    const childOf = (node: Tree | Page | null, i: number): Tree | Page | null => (node instanceof Tree ? (node.children[i] ?? null) : null);
    for (let i = 0; i < 64; i++) compare(childOf(a, i), childOf(b, i), level - 1, first + i * 64 ** level);
  };
  const [a, b] = [settled(left), settled(right)];
  compare(a, b, a.level, 0);
  return frames;
};

export const wordsPart = (base: Machine, cells: readonly Cell[]): Part => {
  const places = cells.map(({ values }) => new Map(values.map((value, v) => [keyOf(value), v])));
  const byFrame = new Map<number, Map<number, number>>();
  for (const [c, { mfn, index }] of cells.entries()) byFrame.set(mfn, (byFrame.get(mfn) ?? new Map<number, number>()).set(index, c));

  const checkPage = (memory: Memory, mfn: number): void => {
    const [page, before] = [pageOf(memory, mfn), pageOf(base.memory, mfn) ?? EMPTY_PAGE];
    for (let l = 0; l < 16; l++) {
      if (page.leaves[l] === before.leaves[l]) continue;
      for (let w = 0; w < 32; w++) {
        const [now, was] = [page.leaves[l]!.words[w]!, before.leaves[l]!.words[w]!];
        if (equal(now, was) || byFrame.get(mfn)?.has(l * 32 + w)) continue;
        throw outside(`word ${l * 32 + w} of frame 0x${mfn.toString(16)}`);
      }
    }
  };
  return {
    slots: cells.map(({ name, values }) => ({ name, size: values.length })),
    read: ({ memory }, into, first) => {
      for (const mfn of changedFrames(base.memory, memory)) checkPage(memory, mfn);
      for (const [c, { name, mfn, index }] of cells.entries()) {
        const value = places[c]!.get(keyOf(pageOf(memory, mfn).leaves[index >> 5]!.words[index & 31]!));
        if (value === undefined) throw outside(`${name} to what it never is: it`);
        into[first + c] = value;
      }
      return true;
    },
    write: (machine, values, first) => {
      let { memory } = machine;
      for (const [mfn, words] of byFrame) {
        let page = pageOf(memory, mfn);
        for (const [index, c] of words) page = pageWithWord(page, index, cells[c]!.values[values[first + c]!]!);
        memory = withPageOf(memory, mfn, page);
      }
      return { ...machine, memory };
    },
    watch: (machine, onTouch) => {
      let watched = machine;
      const pages = [...byFrame].map(([mfn, words]) => pageWatch(mfn, new Map([...words].map(([index, c]) => [index, [c]])), onTouch));
      for (const page of pages) watched = page.watch(watched);
      return {
        machine: watched,
        settle: (after) => {
          for (const page of pages) page.settle(after);
        },
      };
    },
  };
};
