/** One frame: sixteen leaves of 32 words. Leaves and pages remember their digest sums once somebody asked. */
import { mixFirst, mixSecond } from '#spec/digest.ts';
import { Word, ZERO } from '../word/word.ts';

/** Two independent sums, as spec/digest.ts defines them. */
export type Sums = { readonly first: number; readonly second: number };
export const NO_SUMS: Sums = { first: 0, second: 0 };
export const addSums = (a: Sums, b: Sums): Sums => ({ first: (a.first + b.first) | 0, second: (a.second + b.second) | 0 });

/** Sums that somebody asked for, and the place that they hold for: the same words elsewhere sum up differently. */
type Known = { readonly place: number; readonly sums: Sums };

/** 32 words. */
export class Leaf {
  readonly words: readonly Word[];
  known: Known | null = null;
  constructor(words: readonly Word[]) {
    this.words = words;
  }
}

export class Page {
  readonly leaves: readonly Leaf[];
  known: Known | null = null;
  constructor(leaves: readonly Leaf[]) {
    this.leaves = leaves;
  }
}

export const EMPTY_LEAF = new Leaf(new Array<Word>(32).fill(ZERO));
export const EMPTY_PAGE = new Page(new Array<Leaf>(16).fill(EMPTY_LEAF));

/** The page with word `index` (0 to 511) replaced. */
export const pageWithWord = (page: Page, index: number, value: Word): Page => {
  const words = page.leaves[index >> 5].words.slice();
  words[index & 31] = value;
  const leaves = page.leaves.slice();
  leaves[index >> 5] = new Leaf(words);
  return new Page(leaves);
};

/** The page with the words replaced that `words` has at their index; it may have holes. */
export const pageWithWords = (page: Page, words: readonly (Word | undefined)[]): Page =>
  new Page(
    page.leaves.map((leaf, l) => {
      const first = l * 32;
      const some = leaf.words.some((_, w) => words[first + w] !== undefined);
      return some ? new Leaf(leaf.words.map((old, w) => words[first + w] ?? old)) : leaf;
    }),
  );

/** The page with `count` words from number `first` on replaced. Leaves that none of them falls into stay as they are. */
export const pageWithRun = (page: Page, first: number, count: number, wordAt: (index: number) => Word): Page => {
  const leaves = page.leaves.slice();
  const end = first + count;
  for (let at = first; at < end; ) {
    const words = leaves[at >> 5].words.slice();
    const leaf = at >> 5;
    for (; at < end && at >> 5 === leaf; at++) words[at & 31] = wordAt(at);
    leaves[leaf] = new Leaf(words);
  }
  return new Page(leaves);
};

/** `length` bytes of a page from `offset` on. */
export const pageBytes = (page: Page, offset: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let n = 0; n < length; ) {
    const index = (offset + n) >> 3;
    const { hi, lo } = page.leaves[index >> 5].words[index & 31];
    for (; n < length && (offset + n) >> 3 === index; n++) {
      const at = offset + n;
      bytes[n] = ((at & 4) === 0 ? lo : hi) >>> ((at & 3) * 8);
    }
  }
  return bytes;
};

/** One byte of a page. */
export const pageByte = (page: Page, at: number): number => {
  const { hi, lo } = page.leaves[at >> 8].words[(at >> 3) & 31];
  return (((at & 4) === 0 ? lo : hi) >>> ((at & 3) * 8)) & 0xff;
};

/** The page with bytes written from `offset` on. Leaves that no byte falls into stay as they are. */
export const pageWithBytes = (page: Page, offset: number, bytes: Uint8Array): Page => {
  const leaves = page.leaves.slice();
  const end = offset + bytes.length;
  for (let at = offset; at < end; ) {
    const next = Math.min(end, (at | 255) + 1);
    leaves[at >> 8] = leafWithBytes(leaves[at >> 8], at & 255, bytes, at - offset, next - at);
    at = next;
  }
  return new Page(leaves);
};

/** The leaf with `length` bytes of `bytes`, those from `from` on, written from `offset` on. */
const leafWithBytes = (leaf: Leaf, offset: number, bytes: Uint8Array, from: number, length: number): Leaf => {
  const words = leaf.words.slice();
  for (let n = 0; n < length; ) {
    const index = (offset + n) >> 3;
    let { hi, lo } = words[index];
    for (; n < length && (offset + n) >> 3 === index; n++) {
      const at = offset + n;
      const shift = (at & 3) * 8;
      const mask = ~(0xff << shift);
      const byte = bytes[from + n];
      if ((at & 4) === 0) lo = (lo & mask) | (byte << shift);
      else hi = (hi & mask) | (byte << shift);
    }
    words[index] = new Word(hi, lo);
  }
  return new Leaf(words);
};

/** A page from a function of the word's index. Leaves of zeros are the empty leaf. */
export const pageFrom = (wordAt: (index: number) => Word): Page => {
  const leaves = Array.from({ length: 16 }, (_, l) => {
    const words = Array.from({ length: 32 }, (_, w) => wordAt(l * 32 + w));
    return words.every((w) => (w.lo | w.hi) === 0) ? EMPTY_LEAF : new Leaf(words);
  });
  return leaves.every((leaf) => leaf === EMPTY_LEAF) ? EMPTY_PAGE : new Page(leaves);
};

/** A page of 4096 bytes. */
export const pageOfBytes = (bytes: Uint8Array): Page => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const leaves = Array.from({ length: 16 }, (_, l) => leafOfBytes(view, l * 256));
  return leaves.every((leaf) => leaf === EMPTY_LEAF) ? EMPTY_PAGE : new Page(leaves);
};

const leafOfBytes = (view: DataView, at: number): Leaf => {
  const words = new Array<Word>(32).fill(ZERO);
  let empty = true;
  for (let i = 0; i < 32; i++) {
    const lo = view.getInt32(at + 8 * i, true);
    const hi = view.getInt32(at + 8 * i + 4, true);
    if ((lo | hi) === 0) continue;
    words[i] = new Word(hi, lo);
    empty = false;
  }
  return empty ? EMPTY_LEAF : new Leaf(words);
};

/** Whether all 4096 bytes are zero. */
export const isEmptyPage = (page: Page): boolean =>
  page === EMPTY_PAGE || page.leaves.every((leaf) => leaf === EMPTY_LEAF || leaf.words.every((w) => (w.lo | w.hi) === 0));

const leafSums = (leaf: Leaf, mfn: number, at: number): Sums => {
  if (leaf === EMPTY_LEAF) return NO_SUMS;
  const place = mfn * 512 + at;
  if (leaf.known?.place === place) return leaf.known.sums;
  let first = 0;
  let second = 0;
  for (let i = 0; i < 32; i++) {
    const { lo, hi } = leaf.words[i];
    first = (first + mixFirst(mfn, at + i, lo, hi)) | 0;
    second = (second + mixSecond(mfn, at + i, lo, hi)) | 0;
  }
  leaf.known = { place, sums: { first, second } };
  return leaf.known.sums;
};

/** The digest sums of the page as frame `mfn`. */
export const pageSums = (page: Page, mfn: number): Sums => {
  if (page === EMPTY_PAGE) return NO_SUMS;
  if (page.known?.place === mfn) return page.known.sums;
  let sums = NO_SUMS;
  for (let l = 0; l < 16; l++) sums = addSums(sums, leafSums(page.leaves[l], mfn, l * 32));
  page.known = { place: mfn, sums };
  return sums;
};
