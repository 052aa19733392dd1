/** Decoded instructions by machine address, shared by all CPUs of a machine, and dropped when their bytes are written. */
import { FRAME_BYTES, MARK_CODE, type Memory } from '../memory.ts';
import type { Op } from './op.ts';

/** The decoded instructions of one frame. Links lead from one to another within the frame only. */
export class CodePage {
  readonly mfn: number;
  /** By offset of the first byte. */
  readonly ops: (Op | null)[] = new Array(FRAME_BYTES).fill(null);
  /** 1 for each byte that some decoded instruction occupies. */
  private readonly occupied = new Uint8Array(FRAME_BYTES);
  /** Instructions of other frames that end in this one. */
  private readonly incoming: Op[] = [];

  constructor(mfn: number) {
    this.mfn = mfn;
  }

  occupy(from: number, to: number): void {
    this.occupied.fill(1, from, to);
  }

  /** Note an instruction of another page whose last bytes are the first `length` of this one. */
  receive(op: Op, length: number): void {
    this.incoming.push(op);
    this.occupy(0, length);
  }

  /** Drop everything if one of the bytes belongs to an instruction. Returns whether it did. */
  written(offset: number, size: number): boolean {
    let hit = 0;
    for (let i = offset; i < offset + size; i++) hit |= this.occupied[i];
    if (hit === 0) return false;
    this.ops.fill(null);
    this.occupied.fill(0);
    for (const op of this.incoming) op.second = -1;
    this.incoming.length = 0;
    return true;
  }
}

const caches = new WeakMap<Memory, CodeCache>();

export class CodeCache {
  /** Grows whenever decoded instructions are dropped. */
  epoch = 0;
  private readonly memory: Memory;
  private readonly pages = new Map<number, CodePage>();

  private constructor(memory: Memory) {
    this.memory = memory;
    memory.codeWatchers.push((maddr, size) => {
      if (this.pages.get(maddr >>> 12)?.written(maddr & (FRAME_BYTES - 1), size)) this.epoch++;
    });
  }

  /** The one cache of a machine's memory. */
  static of(memory: Memory): CodeCache {
    const known = caches.get(memory);
    if (known) return known;
    const cache = new CodeCache(memory);
    caches.set(memory, cache);
    return cache;
  }

  page(mfn: number): CodePage {
    const known = this.pages.get(mfn);
    if (known) return known;
    const page = new CodePage(mfn);
    this.pages.set(mfn, page);
    this.memory.watch(mfn, MARK_CODE);
    return page;
  }
}
