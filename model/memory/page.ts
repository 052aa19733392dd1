/** One frame: sixteen leaves of 32 words. Leaves and pages remember their digest sums once somebody asked. */
import { mixFirst, mixSecond } from '#spec/digest.ts';
import { Word, ZERO } from '../word/word.ts';

/** Two independent sums, as spec/digest.ts defines them. */
export type Sums = { readonly first: number; readonly second: number };
export const NO_SUMS: Sums = { first: 0, second: 0 };
export const addSums = (a: Sums, b: Sums): Sums => ({ first: (a.first + b.first) | 0, second: (a.second + b.second) | 0 });

/** 32 words. The sums hold for one place in memory only, so a leaf that is not empty is never shared between frames. */
export class Leaf {
  readonly words: readonly Word[];
  sums: Sums | null;
  constructor(words: readonly Word[], sums: Sums | null) {
    this.words = words;
    this.sums = sums;
  }
}

export class Page {
  readonly leaves: readonly Leaf[];
  sums: Sums | null;
  constructor(leaves: readonly Leaf[], sums: Sums | null) {
    this.leaves = leaves;
    this.sums = sums;
  }
}

export const EMPTY_LEAF = new Leaf(new Array<Word>(32).fill(ZERO), NO_SUMS);
export const EMPTY_PAGE = new Page(new Array<Leaf>(16).fill(EMPTY_LEAF), NO_SUMS);

/** The page with word `index` (0 to 511) replaced. */
export const pageWithWord = (page: Page, index: number, value: Word): Page => {
  const words = page.leaves[index >> 5].words.slice();
  words[index & 31] = value;
  const leaves = page.leaves.slice();
  leaves[index >> 5] = new Leaf(words, null);
  return new Page(leaves, null);
};

/** `length` bytes of a page from `offset` on. */
export const pageBytes = (page: Page, offset: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let n = 0; n < length; n++) {
    const at = offset + n;
    const { hi, lo } = page.leaves[at >> 8].words[(at >> 3) & 31];
    bytes[n] = ((at & 4) === 0 ? lo : hi) >>> ((at & 3) * 8);
  }
  return bytes;
};

/** The page with bytes written from `offset` on. Leaves that no byte falls into stay as they are. */
export const pageWithBytes = (page: Page, offset: number, bytes: Uint8Array): Page => {
  const leaves = page.leaves.slice();
  const end = offset + bytes.length;
  for (let at = offset; at < end; ) {
    const next = Math.min(end, (at | 255) + 1);
    leaves[at >> 8] = leafWithBytes(leaves[at >> 8], at & 255, bytes.subarray(at - offset, next - offset));
    at = next;
  }
  return new Page(leaves, null);
};

const leafWithBytes = (leaf: Leaf, offset: number, bytes: Uint8Array): Leaf => {
  const words = leaf.words.slice();
  bytes.forEach((byte, n) => {
    const at = offset + n;
    const { hi, lo } = words[at >> 3];
    const shift = (at & 3) * 8;
    const mask = ~(0xff << shift);
    words[at >> 3] = (at & 4) === 0 ? new Word(hi, (lo & mask) | (byte << shift)) : new Word((hi & mask) | (byte << shift), lo);
  });
  return new Leaf(words, null);
};

/** A page from a function of the word's index. Leaves of zeros are the empty leaf. */
export const pageFrom = (wordAt: (index: number) => Word): Page => {
  const leaves = Array.from({ length: 16 }, (_, l) => {
    const words = Array.from({ length: 32 }, (_, w) => wordAt(l * 32 + w));
    return words.every((w) => (w.lo | w.hi) === 0) ? EMPTY_LEAF : new Leaf(words, null);
  });
  return leaves.every((leaf) => leaf === EMPTY_LEAF) ? EMPTY_PAGE : new Page(leaves, null);
};

/** Whether all 4096 bytes are zero. */
export const isEmptyPage = (page: Page): boolean =>
  page === EMPTY_PAGE || page.leaves.every((leaf) => leaf === EMPTY_LEAF || leaf.words.every((w) => (w.lo | w.hi) === 0));

const leafSums = (leaf: Leaf, mfn: number, at: number): Sums => {
  if (leaf.sums) return leaf.sums;
  let first = 0;
  let second = 0;
  for (let i = 0; i < 32; i++) {
    const { lo, hi } = leaf.words[i];
    first = (first + mixFirst(mfn, at + i, lo, hi)) | 0;
    second = (second + mixSecond(mfn, at + i, lo, hi)) | 0;
  }
  leaf.sums = { first, second };
  return leaf.sums;
};

/** The digest sums of the page as frame `mfn`. */
export const pageSums = (page: Page, mfn: number): Sums => {
  if (page.sums) return page.sums;
  let sums = NO_SUMS;
  for (let l = 0; l < 16; l++) sums = addSums(sums, leafSums(page.leaves[l], mfn, l * 32));
  page.sums = sums;
  return sums;
};
