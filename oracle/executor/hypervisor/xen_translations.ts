/** Translations of guest addresses that Xen has found for its own accesses: copies of arguments come from the same few pages. */
import type { Memory } from '../memory.ts';

const SETS = 256;

/** Direct-mapped, and void as a whole when a table is written that some translation came through (Memory.tableEpoch). */
export class XenTranslations {
  private readonly low = new Int32Array(2 * SETS);
  private readonly high = new Int32Array(2 * SETS);
  private readonly roots = new Int32Array(2 * SETS);
  private readonly epochs = new Float64Array(2 * SETS).fill(-1);
  private readonly pages = new Float64Array(2 * SETS);
  private readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  private setOf(lo: number, write: boolean): number {
    return (((lo >>> 12) & (SETS - 1)) << 1) | (write ? 1 : 0);
  }

  /** Machine address of a byte, or -1. */
  find(root: number, lo: number, hi: number, write: boolean): number {
    const i = this.setOf(lo, write);
    const isKnown =
      this.low[i] === (lo & ~0xfff) && this.high[i] === (hi | 0) && this.roots[i] === root && this.epochs[i] === this.memory.tableEpoch;
    return isKnown ? this.pages[i] + (lo & 0xfff) : -1;
  }

  /** Remember where a byte in RAM was found. */
  fill(root: number, lo: number, hi: number, write: boolean, maddr: number): void {
    const i = this.setOf(lo, write);
    this.low[i] = lo & ~0xfff;
    this.high[i] = hi | 0;
    this.roots[i] = root;
    this.epochs[i] = this.memory.tableEpoch;
    this.pages[i] = maddr - (lo & 0xfff);
  }
}
