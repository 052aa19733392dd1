/**
 * Machine memory as an immutable tree: frames of 512 words, in leaves of 32. A write copies one leaf and the path to it;
 * the four frames written last hang beside the tree, so that most writes copy no path at all. Old memories stay valid.
 */
import type { Word } from '../word/word.ts';
import { noteWrite } from './newest.ts';
import { EMPTY_PAGE, type Page, pageWithWord } from './page.ts';
import { EMPTY_ROOT, pageAt, type Tree, withPage } from './tree.ts';

export class Memory {
  /** Size of RAM in frames. Beyond it nothing can be read or written. */
  readonly frames: number;
  readonly tree: Tree;
  /** Frames written last, newest knowledge: they hide what the tree says. −1 where a slot is free. */
  readonly mfn0: number;
  readonly mfn1: number;
  readonly mfn2: number;
  readonly mfn3: number;
  readonly page0: Page;
  readonly page1: Page;
  readonly page2: Page;
  readonly page3: Page;
  constructor(
    frames: number,
    tree: Tree,
    mfn0: number,
    page0: Page,
    mfn1: number,
    page1: Page,
    mfn2: number,
    page2: Page,
    mfn3: number,
    page3: Page,
  ) {
    this.frames = frames;
    this.tree = tree;
    this.mfn0 = mfn0;
    this.mfn1 = mfn1;
    this.mfn2 = mfn2;
    this.mfn3 = mfn3;
    this.page0 = page0;
    this.page1 = page1;
    this.page2 = page2;
    this.page3 = page3;
  }
}

/** RAM of `frames` frames, all zero. */
export const emptyMemory = (frames: number): Memory =>
  new Memory(frames, EMPTY_ROOT, -1, EMPTY_PAGE, -1, EMPTY_PAGE, -1, EMPTY_PAGE, -1, EMPTY_PAGE);

/** The contents of a frame. */
export const pageOf = (m: Memory, mfn: number): Page => {
  if (mfn === m.mfn0) return m.page0;
  if (mfn === m.mfn1) return m.page1;
  if (mfn === m.mfn2) return m.page2;
  if (mfn === m.mfn3) return m.page3;
  return pageIn(m.tree, mfn);
};

/** Where the pages of the tree that was asked last are: remembering never shows, it only saves the way down. */
const KNOWN = 64;
const knownPages = new Array<Page>(KNOWN).fill(EMPTY_PAGE);
const knownMfns = new Int32Array(KNOWN).fill(-1);
let knownTree: Tree = EMPTY_ROOT;

const pageIn = (tree: Tree, mfn: number): Page => {
  const slot = mfn & (KNOWN - 1);
  if (tree !== knownTree) {
    knownTree = tree;
    knownMfns.fill(-1);
  } else if (knownMfns[slot] === mfn) return knownPages[slot];
  knownMfns[slot] = mfn;
  knownPages[slot] = pageAt(tree, mfn);
  return knownPages[slot];
};

/** A memory in which a frame has other contents. */
export const withPageOf = (m: Memory, mfn: number, page: Page): Memory => {
  const next = replace(m, mfn, page);
  noteWrite(m, next, mfn);
  return next;
};

const replace = (m: Memory, mfn: number, page: Page): Memory => {
  if (mfn === m.mfn0) return new Memory(m.frames, m.tree, mfn, page, m.mfn1, m.page1, m.mfn2, m.page2, m.mfn3, m.page3);
  if (mfn === m.mfn1) return new Memory(m.frames, m.tree, m.mfn0, m.page0, mfn, page, m.mfn2, m.page2, m.mfn3, m.page3);
  if (mfn === m.mfn2) return new Memory(m.frames, m.tree, m.mfn0, m.page0, m.mfn1, m.page1, mfn, page, m.mfn3, m.page3);
  if (mfn === m.mfn3) return new Memory(m.frames, m.tree, m.mfn0, m.page0, m.mfn1, m.page1, m.mfn2, m.page2, mfn, page);
  // A frame that was not among the last four pushes the oldest one back into the tree.
  const tree = m.mfn3 < 0 ? m.tree : withPage(m.tree, m.mfn3, m.page3);
  return new Memory(m.frames, tree, mfn, page, m.mfn0, m.page0, m.mfn1, m.page1, m.mfn2, m.page2);
};

/** Word number `index` (0 to 511) of a frame. */
export const readWord = (m: Memory, mfn: number, index: number): Word => pageOf(m, mfn).leaves[index >> 5].words[index & 31];

/** A memory with word number `index` of a frame replaced: the same one when it is what was there. */
export const writeWord = (m: Memory, mfn: number, index: number, value: Word): Memory => {
  const page = pageOf(m, mfn);
  const there = page.leaves[index >> 5].words[index & 31];
  return there.lo === value.lo && there.hi === value.hi ? m : withPageOf(m, mfn, pageWithWord(page, index, value));
};

/** The tree with the four last written frames put back: the same memory in one piece. */
export const settled = (m: Memory): Tree => {
  let tree = m.tree;
  if (m.mfn0 >= 0) tree = withPage(tree, m.mfn0, m.page0);
  if (m.mfn1 >= 0) tree = withPage(tree, m.mfn1, m.page1);
  if (m.mfn2 >= 0) tree = withPage(tree, m.mfn2, m.page2);
  if (m.mfn3 >= 0) tree = withPage(tree, m.mfn3, m.page3);
  return tree;
};
