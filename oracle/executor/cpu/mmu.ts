/** Memory as instructions reach it: cached translations, page walks on a miss, and the aftercare of special writes. */
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { FRAME_BYTES, MARK_STALE, MARK_WATCHED, type Memory } from '../memory.ts';
import { isCanonical } from './canonical.ts';
import { CodeCache, CodePage } from './code_cache.ts';
import { GP, PF, SS } from './exit.ts';
import type { Op } from './op.ts';
import { Registers } from './registers.ts';
import { AddressSpace } from './tlb.ts';
import { type Access, FETCH, READ, reservedHigh, WRITE, walk } from './walk.ts';

/** Address spaces that are kept at the same time: a guest goes back and forth between a few. */
const MOST_SPACES = 8;

/** A write that spans two pages waits in the scratch area: where its parts go. */
type Split = { readonly first: number; readonly second: number; readonly head: number; readonly size: number };

/** Width of physical addresses by CPUID leaf 80000008. */
const physicalBits = (cpuid: readonly CpuidLeaf[]): number => (cpuid.find((row) => row.leaf >>> 0 === 0x80000008)?.eax ?? 36) & 0xff;

export class Mmu extends Registers {
  readonly memory: Memory;
  readonly dv: DataView;
  /** The translations of the current address space, for the fast path. */
  readTlb: Int32Array;
  writeTlb: Int32Array;
  /** The instruction wrote in a way that `finishWrite` has to look after. */
  aftercare = false;
  /** The decoded instructions of the page that RIP is in. */
  code: CodePage;
  protected readonly cache: CodeCache;
  private readonly noCode = new CodePage(-1);
  protected readonly reserved: number;
  private spaces: AddressSpace[];
  private space: AddressSpace;
  private split: Split | null = null;
  private tableEpoch = 0;
  private markEpoch = 0;
  private codeEpoch = 0;

  constructor(memory: Memory, cpuid: readonly CpuidLeaf[]) {
    super();
    this.memory = memory;
    this.dv = memory.view;
    this.cache = CodeCache.of(memory);
    this.code = this.noCode;
    this.reserved = reservedHigh(physicalBits(cpuid));
    this.space = new AddressSpace(0);
    this.spaces = [this.space];
    this.readTlb = this.space.read.entries;
    this.writeTlb = this.space.write.entries;
    this.noteEpochs();
  }

  get root(): number {
    return this.space.root;
  }
  set root(mfn: number) {
    if (mfn === this.space.root) return;
    const known = this.spaces.find((space) => space.root === mfn);
    this.space = known ?? new AddressSpace(mfn);
    this.spaces = [this.space, ...this.spaces.filter((space) => space !== known)].slice(0, MOST_SPACES);
    this.readTlb = this.space.read.entries;
    this.writeTlb = this.space.write.entries;
    this.code = this.noCode;
  }

  /** Drop what no longer follows from memory. Returns whether code already found may be wrong now. */
  sync(): boolean {
    const { memory, cache } = this;
    const tables = memory.tableEpoch !== this.tableEpoch;
    const code = cache.epoch !== this.codeEpoch;
    if (tables) for (const space of this.spaces) space.clear();
    else if (memory.markEpoch !== this.markEpoch) for (const space of this.spaces) space.clearWrites();
    if (tables) this.code = this.noCode;
    this.noteEpochs();
    return tables || code;
  }

  private noteEpochs(): void {
    this.tableEpoch = this.memory.tableEpoch;
    this.markEpoch = this.memory.markEpoch;
    this.codeEpoch = this.cache.epoch;
  }

  /** Machine address of a byte, by the tables; the page fault or, outside RAM, NotModelled. */
  private resolve(lo: number, hi: number, access: Access): number {
    const found = walk(this.memory, this.space.root, lo, hi, access, this.reserved);
    if (!found.ok) this.faultAt(PF, found.error, lo, hi);
    if (found.maddr >= this.memory.frames * FRAME_BYTES) throw new NotModelled('memory/outside-ram');
    // The walk may have begun to watch frames that could be written without asking until now.
    if (this.memory.markEpoch !== this.markEpoch) {
      for (const space of this.spaces) space.clearWrites();
      this.markEpoch = this.memory.markEpoch;
    }
    return found.maddr;
  }

  private checkAddress(o: Op, hi: number): void {
    if (!isCanonical(hi)) this.fault(o.stack ? SS : GP, 0);
  }

  /** See `readable` in address.ts. */
  readSlow(o: Op, lo: number, hi: number, size: number): number {
    this.checkAddress(o, hi);
    const head = FRAME_BYTES - (lo & (FRAME_BYTES - 1));
    if (head >= size) return this.readPage(lo, hi);
    const nextLo = (lo + head) | 0;
    const nextHi = (hi + (nextLo === 0 ? 1 : 0)) | 0;
    this.checkAddress(o, nextHi);
    const first = this.readPage(lo, hi);
    return this.gather(first, this.readPage(nextLo, nextHi), head, size);
  }

  private readPage(lo: number, hi: number): number {
    const known = this.space.read.find(lo, hi);
    if (known >= 0) return known;
    const maddr = this.resolve(lo, hi, READ);
    this.space.read.fill(lo, hi, maddr & -FRAME_BYTES);
    return maddr;
  }

  /** Bring the two parts of an access together in the scratch area, and return its address. */
  private gather(first: number, second: number, head: number, size: number): number {
    const { scratch, bytes, all } = this.memory;
    all.set(bytes.subarray(first, first + head), scratch);
    all.set(bytes.subarray(second, second + size - head), scratch + head);
    return scratch;
  }

  /** See `writable` in address.ts. */
  writeSlow(o: Op, lo: number, hi: number, size: number): number {
    this.checkAddress(o, hi);
    const head = FRAME_BYTES - (lo & (FRAME_BYTES - 1));
    if (head >= size) {
      const maddr = this.writePage(lo, hi);
      if ((this.memory.marks[maddr >>> 12] & MARK_WATCHED) !== 0) {
        this.memory.willWrite(maddr, size);
        this.aftercare = true;
      }
      return maddr;
    }
    const nextLo = (lo + head) | 0;
    const nextHi = (hi + (nextLo === 0 ? 1 : 0)) | 0;
    this.checkAddress(o, nextHi);
    const first = this.writePage(lo, hi);
    const second = this.writePage(nextLo, nextHi);
    this.split = { first, second, head, size };
    this.aftercare = true;
    return this.gather(first, second, head, size);
  }

  private writePage(lo: number, hi: number): number {
    const { space, memory } = this;
    const known = space.watched.find(lo, hi);
    if (known >= 0) return known;
    const maddr = this.resolve(lo, hi, WRITE);
    const marks = memory.marks[maddr >>> 12];
    const watched = (marks & MARK_WATCHED) !== 0;
    if ((marks & MARK_STALE) === 0) memory.markStale(maddr >>> 12);
    (watched ? space.watched : space.write).fill(lo, hi, maddr & -FRAME_BYTES);
    return maddr;
  }

  /** After a write with aftercare. Returns whether the instruction that comes next has to be looked up anew. */
  finishWrite(): boolean {
    this.aftercare = false;
    if (this.split !== null) {
      const { first, second, head, size } = this.split;
      const { memory } = this;
      this.split = null;
      memory.writeBytes(first, memory.all.slice(memory.scratch, memory.scratch + head));
      memory.writeBytes(second, memory.all.slice(memory.scratch + head, memory.scratch + size));
    }
    return this.sync();
  }

  /** Forget a write that a fault has overtaken. */
  dropWrite(): void {
    this.aftercare = false;
    this.split = null;
  }

  /** The decoded page at `hi:lo` (page-aligned); a fault names the byte at `offset`. */
  codePage(lo: number, hi: number, offset: number): CodePage {
    const known = this.space.code.find(lo, hi);
    if (known !== null) return known;
    if (!isCanonical(hi)) this.fault(GP, 0);
    const maddr = this.resolve(lo | offset, hi, FETCH);
    const page = this.cache.page(maddr >>> 12);
    // Decoding watches the frame from now on.
    if (this.memory.markEpoch !== this.markEpoch) {
      for (const space of this.spaces) space.clearWrites();
      this.markEpoch = this.memory.markEpoch;
    }
    this.space.code.fill(lo, hi, page);
    return page;
  }

  /** The decoded page at `hi:lo` if fetching from it needs no walk. */
  protected cachedCode(lo: number, hi: number): CodePage | null {
    return this.space.code.find(lo, hi);
  }
}
