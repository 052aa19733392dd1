/** The bytes of one instruction, taken one after another. */
import { Word } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';

/** x86/fetch-length: more bytes than this are a general protection fault. */
const LONGEST = 15;

export class Bytes {
  readonly fetch: (index: number) => number;
  /** Bytes taken so far. */
  taken = 0;
  /** `fetch` gives byte `index` of the instruction and is asked in order; it may throw a fault. */
  constructor(fetch: (index: number) => number) {
    this.fetch = fetch;
  }

  u8(): number {
    if (this.taken === LONGEST) throw generalProtection(0, 'x86/fetch-length');
    return this.fetch(this.taken++);
  }

  /** The next byte, which is not taken yet. */
  peek(): number {
    const byte = this.u8();
    this.taken--;
    return byte;
  }

  /** A signed byte, 16-bit or 32-bit number as a word. */
  signed(size: 1 | 2 | 4): Word {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.u8() << (8 * i);
    const lo = (value << (32 - 8 * size)) >> (32 - 8 * size);
    return new Word(lo >> 31, lo);
  }

  u64(): Word {
    const lo = this.signed(4).lo;
    return new Word(this.signed(4).lo, lo);
  }
}
