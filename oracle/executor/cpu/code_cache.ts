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
  /** By frame, then by kind of code. */
  private readonly pages = new Map<number, (CodePage | undefined)[]>();

  private constructor(memory: Memory) {
    this.memory = memory;
    memory.codeWatchers.push((maddr, size) => {
      for (const page of this.pages.get(maddr >>> 12) ?? []) if (page?.written(maddr & (FRAME_BYTES - 1), size)) this.epoch++;
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

  /** @param kind number of the kind of code (mode.ts): the same bytes are other instructions in another mode. */
  page(mfn: number, kind: number): CodePage {
    let kinds = this.pages.get(mfn);
    if (kinds === undefined) {
      kinds = [];
      this.pages.set(mfn, kinds);
      this.memory.watch(mfn, MARK_CODE);
    }
    let page = kinds[kind];
    if (page === undefined) {
      page = new CodePage(mfn);
      kinds[kind] = page;
    }
    return page;
  }
}
