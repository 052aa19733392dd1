/** Finding the lowest free port without looking at all that are in use: each bit of a word of 32 stands for a port, each of the words above for 32 ports. */

/** Words for the most ports that any ABI has. */
const WORDS = 4096;

/** Number of the lowest bit that is clear; the word is not full. */
const lowestClear = (word: number): number => 31 - Math.clz32(~word & (word + 1));

/** Ports that were seen in use. One may be in use without being noted; none is noted that is free. */
export class UsedPorts {
  private readonly words = new Int32Array(WORDS);
  private readonly full = new Int32Array(WORDS / 32);

  constructor() {
    this.note(0);
  }

  /** The lowest port from `from` on that is not noted. */
  lowest(from: number): number {
    const { words, full } = this;
    const first = from >>> 5;
    if (first >= WORDS) return WORDS * 32;
    const rest = words[first] | ((1 << (from & 31)) - 1);
    if (rest !== -1) return first * 32 + lowestClear(rest);
    let group = (first + 1) >>> 5;
    if (group === full.length) return WORDS * 32;
    let groups = full[group] | ((1 << ((first + 1) & 31)) - 1);
    while (groups === -1) {
      if (++group === full.length) return WORDS * 32;
      groups = full[group];
    }
    const word = group * 32 + lowestClear(groups);
    return word * 32 + lowestClear(words[word]);
  }

  note(port: number): void {
    const word = port >>> 5;
    this.words[word] |= 1 << (port & 31);
    if (this.words[word] === -1) this.full[word >>> 5] |= 1 << (word & 31);
  }

  forget(port: number): void {
    const word = port >>> 5;
    this.words[word] &= ~(1 << (port & 31));
    this.full[word >>> 5] &= ~(1 << (word & 31));
  }
}
