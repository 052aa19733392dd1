/** Translations of guest addresses that Xen has found for its own accesses: copies of arguments come from the same few pages. */
import type { Memory } from '../memory.ts';

const SETS = 256;
/** Of a set: page (its lower and upper half), root, epoch, and what to add to the lower half for the machine address. One line of the host's cache holds two. */
const WORDS = 8;
const [LOW, HIGH, ROOT, EPOCH, OFFSET] = [0, 1, 2, 3, 4] as const;

/** Direct-mapped, and void as a whole when a table is written that some translation came through (Memory.tableEpoch). */
export class XenTranslations {
  private readonly sets = new Int32Array(2 * SETS * WORDS);
  private readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
    for (let i = 0; i < this.sets.length; i += WORDS) this.sets[i + EPOCH] = -1;
  }

  private setOf(lo: number, write: boolean): number {
    return ((((lo >>> 12) & (SETS - 1)) << 1) | (write ? 1 : 0)) * WORDS;
  }

  /** Machine address of a byte, or -1. */
  find(root: number, lo: number, hi: number, write: boolean): number {
    const { sets } = this;
    const i = this.setOf(lo, write);
    const isKnown =
      sets[i + LOW] === (lo & ~0xfff) &&
      sets[i + HIGH] === (hi | 0) &&
      sets[i + ROOT] === root &&
      sets[i + EPOCH] === (this.memory.tableEpoch & 0x7fffffff);
    return isKnown ? (sets[i + OFFSET] + lo) | 0 : -1;
  }

  /** Remember where a byte in RAM was found. */
  fill(root: number, lo: number, hi: number, write: boolean, maddr: number): void {
    const { sets } = this;
    const i = this.setOf(lo, write);
    sets[i + LOW] = lo & ~0xfff;
    sets[i + HIGH] = hi | 0;
    sets[i + ROOT] = root;
    sets[i + EPOCH] = this.memory.tableEpoch & 0x7fffffff;
    sets[i + OFFSET] = (maddr - lo) | 0;
  }
}
