/** Cached translations of one address space. */
import { NO_TAG, TLB_SETS } from './address.ts';
import type { CodePage } from './code_cache.ts';

export const CODE_SETS = 256;

/** A direct-mapped array of translations that remembers which of its sets are in use, so that emptying it is cheap. */
export class Translations {
  readonly entries = new Int32Array(TLB_SETS * 4).fill(NO_TAG);
  private readonly used: number[] = [];

  /** `lo`, `hi`: any address in the page; `page`: machine address of the frame. */
  fill(lo: number, hi: number, page: number): void {
    const i = ((lo >>> 12) & (TLB_SETS - 1)) << 2;
    if (this.entries[i] === NO_TAG) this.used.push(i);
    this.entries[i] = lo & ~0xfff;
    this.entries[i + 1] = hi;
    this.entries[i + 2] = page - (lo & ~0xfff);
  }

  /** Machine address of one byte, or -1. */
  find(lo: number, hi: number): number {
    const i = ((lo >>> 12) & (TLB_SETS - 1)) << 2;
    return this.entries[i] === (lo & ~0xfff) && this.entries[i + 1] === hi ? (lo + this.entries[i + 2]) | 0 : -1;
  }

  clear(): void {
    for (const i of this.used) this.entries[i] = NO_TAG;
    this.used.length = 0;
  }
}

/** No translations at all: what the fast path sees when it must not be taken. Never written. */
export const EMPTY = new Int32Array(TLB_SETS * 4).fill(NO_TAG);

/** Translations for fetching: pages of code by virtual page. */
export class CodeTranslations {
  private readonly low = new Int32Array(CODE_SETS).fill(NO_TAG);
  private readonly high = new Int32Array(CODE_SETS);
  private readonly pages: (CodePage | null)[] = new Array(CODE_SETS).fill(null);

  /** The page at the page-aligned address `hi:lo`, or null when it is not cached. */
  find(lo: number, hi: number): CodePage | null {
    const i = (lo >>> 12) & (CODE_SETS - 1);
    return this.low[i] === lo && this.high[i] === hi ? this.pages[i] : null;
  }

  fill(lo: number, hi: number, page: CodePage): void {
    const i = (lo >>> 12) & (CODE_SETS - 1);
    this.low[i] = lo;
    this.high[i] = hi;
    this.pages[i] = page;
  }

  clear(): void {
    this.low.fill(NO_TAG);
  }
}

/** All that is cached of one address space. `watched`: writable pages whose writes need aftercare. */
export class AddressSpace {
  readonly key: number;
  readonly read = new Translations();
  readonly write = new Translations();
  readonly watched = new Translations();
  /** By kind of code; made when first asked for. */
  private readonly codes: (CodeTranslations | undefined)[] = [];

  constructor(key: number) {
    this.key = key;
  }

  code(kind: number): CodeTranslations {
    let found = this.codes[kind];
    if (found === undefined) {
      found = new CodeTranslations();
      this.codes[kind] = found;
    }
    return found;
  }

  clear(): void {
    this.read.clear();
    this.clearWrites();
    for (const code of this.codes) code?.clear();
  }

  /** Forget where one may write without asking. */
  clearWrites(): void {
    this.write.clear();
    this.watched.clear();
  }
}
