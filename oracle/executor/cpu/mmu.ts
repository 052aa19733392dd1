/** Memory as instructions reach it: cached translations, page walks on a miss, and the aftercare of special writes. */
import type { CpuidLeaf } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { FRAME_BYTES, MARK_STALE, MARK_WATCHED, type Memory } from '../memory.ts';
import { isCanonical } from './canonical.ts';
import { type Capture, isGuestAddress } from './capture.ts';
import { CodeCache, CodePage } from './code_cache.ts';
import type { Cpu } from './cpu.ts';
import { AC, GP, PF, SS, UD } from './exit.ts';
import { SS_REG } from './interface.ts';
import { CPL } from './layout.ts';
import type { Op } from './op.ts';
import type { Platform } from './platform.ts';
import { Registers } from './registers.ts';
import { OFFSET, throughSegment } from './segmentation.ts';
import { AddressSpace, EMPTY, type Translations } from './tlb.ts';
import { type Access, FETCH, READ, reservedHigh, WRITE } from './walk.ts';

/** Address spaces that are kept at the same time: a guest goes back and forth between a few. */
const MOST_SPACES = 8;

/** A write that waits in the scratch area, to two pages or outside RAM: where its parts go. */
type Waiting = { readonly first: number; readonly second: number; readonly head: number; readonly size: number };

/** Width of physical addresses by CPUID leaf 80000008. */
const physicalBits = (cpuid: readonly CpuidLeaf[]): number => (cpuid.find((row) => row.leaf >>> 0 === 0x80000008)?.eax ?? 36) & 0xff;

/** Whether the last byte of an access has a canonical address. */
const endsCanonical = (lo: number, hi: number, size: number): boolean => {
  const end = (lo + size - 1) | 0;
  return isCanonical((hi + (end >>> 0 < lo >>> 0 ? 1 : 0)) | 0);
};

export class Mmu extends Registers {
  readonly memory: Memory;
  readonly platform: Platform;
  readonly dv: DataView;
  /** The translations of the current address space, for the fast path; empty while each access has to be looked at. */
  readTlb: Int32Array;
  writeTlb: Int32Array;
  /** The instruction wrote in a way that `finishWrite` has to look after. */
  aftercare = false;
  /** The instruction wrote to something other than RAM. */
  protected toldOutside = false;
  /** The decoded instructions of the page that RIP is in. */
  code: CodePage;
  /** Address bits of a table entry's upper half that must be zero. */
  readonly reserved: number;
  /** Outside 64-bit mode; in real or virtual-8086 mode; number of the kind of code (mode.ts). */
  legacy = false;
  real = false;
  kind = 0;
  /** Segments that offsets go through unchanged and unchecked, one bit for each. Code outside 64-bit mode only. */
  flat = 0;
  /** Each access has to be looked at: misaligned ones fault, or breakpoints watch. */
  protected strict = false;
  /** Misaligned accesses raise #AC. */
  aligned = false;
  /** Set while an instruction is carried out for Xen: offsets are addresses, and writes are caught. */
  protected capture: Capture | null = null;
  /** Xen's emulator carries the instruction out. */
  get emulated(): boolean {
    return this.capture !== null;
  }

  protected readonly cache: CodeCache;
  protected readonly noCode = new CodePage(-1);
  private spaces: AddressSpace[];
  private space: AddressSpace;
  private rootFrame = 0;
  private waiting: Waiting | null = null;
  private tableEpoch = 0;
  private markEpoch = 0;
  private codeEpoch = 0;

  constructor(memory: Memory, cpuid: readonly CpuidLeaf[], platform: Platform) {
    super();
    this.memory = memory;
    this.platform = platform;
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

  /** Frame of the top-level table of a PV guest. */
  get root(): number {
    return this.rootFrame;
  }
  set root(mfn: number) {
    this.rootFrame = mfn;
    this.useSpace(this.s[CPL] === 3 ? mfn : ~mfn);
  }

  /** From now on translations are those of this address space (Platform.space). */
  useSpace(key: number): void {
    if (key === this.space.key) return;
    const known = this.spaces.find((space) => space.key === key);
    this.space = known ?? new AddressSpace(key);
    this.spaces = [this.space, ...this.spaces.filter((space) => space !== known)].slice(0, MOST_SPACES);
    this.chooseTlb();
    this.code = this.noCode;
  }

  /** Forget all translations. */
  flushTranslations(): void {
    for (const space of this.spaces) space.clear();
    this.code = this.noCode;
  }

  protected chooseTlb(): void {
    const looks = this.strict || this.capture !== null;
    this.readTlb = looks ? EMPTY : this.space.read.entries;
    this.writeTlb = looks ? EMPTY : this.space.write.entries;
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

  /** Whether RAM does not answer at this machine address. */
  private isOutside(maddr: number): boolean {
    return maddr >= this.memory.frames * FRAME_BYTES || this.platform.outside.covers(maddr);
  }

  /** Machine address of a byte, by the tables, in RAM or not; or the page fault. */
  private resolve(lo: number, hi: number, access: Access): number {
    const found = this.platform.walk(this as unknown as Cpu, lo, hi, access);
    if (!found.ok) this.faultAt(PF, found.error, lo, hi);
    // The walk may have begun to watch frames that could be written without asking until now.
    if (this.memory.markEpoch !== this.markEpoch) {
      for (const space of this.spaces) space.clearWrites();
      this.markEpoch = this.memory.markEpoch;
    }
    return found.maddr;
  }

  /** Linear address for the slow paths; upper half left in `high`. */
  private linear(o: Op, lo: number, hi: number, size: number, write: boolean): number {
    const at = hi === OFFSET ? throughSegment(this, o, lo, size, write) : lo;
    this.high = hi === OFFSET ? 0 : hi;
    if (this.capture !== null) return at;
    if (o.legacy) this.checkEnd(o, at, size);
    else if (!isCanonical(hi) || (this.strict && !endsCanonical(at, hi, size))) this.fault(o.stack ? SS : GP, 0);
    if (this.strict) this.look(at, this.high, size, o.halves ? Math.min(size, 8) : size, write);
    return at;
  }

  /** Outside 64-bit mode a flat segment ends at 4 GiB, where the limits of others have been checked already. */
  private checkEnd(o: Op, lo: number, size: number): void {
    if (((this.flat >> o.seg) & 1) !== 0 && (lo >>> 0) + size > 0x1_0000_0000) this.fault(o.seg === SS_REG ? SS : GP, 0);
  }

  /** Alignment check and breakpoints. Operands of odd sizes and areas of more than 16 bytes are aligned by rules of their own. */
  private look(lo: number, hi: number, size: number, unit: number, write: boolean): void {
    if (this.aligned && (unit & (unit - 1)) === 0 && unit <= 16 && (lo & (unit - 1)) !== 0) this.fault(AC, 0);
    this.platform.inspect(this as unknown as Cpu, lo, hi, size, write);
  }

  /** Where the second page of an access begins, upper half in `high`; outside 64-bit mode linear addresses wrap at 4 GiB. */
  private second(o: Op, lo: number, hi: number): number {
    this.high = lo !== 0 || o.legacy ? hi : (hi + 1) | 0;
    if (!isCanonical(this.high)) {
      if (this.capture !== null) this.faultAt(PF, 0, lo, this.high);
      this.fault(o.stack ? SS : GP, 0);
    }
    return lo;
  }

  /** See `readable` in address.ts. */
  readSlow(o: Op, offset: number, top: number, size: number): number {
    const lo = this.linear(o, offset, top, size, false);
    const hi = this.high;
    if (this.capture !== null && !isGuestAddress(hi)) this.faultAt(PF, 0, lo, hi);
    const head = FRAME_BYTES - (lo & (FRAME_BYTES - 1));
    if (head >= size) {
      const maddr = this.readPage(lo, hi, READ);
      return this.isOutside(maddr) ? this.gather(maddr, 0, size, size) : maddr;
    }
    const nextLo = this.second(o, (lo + head) | 0, hi);
    const nextHi = this.high;
    const first = this.readPage(lo, hi, READ);
    return this.gather(first, this.readPage(nextLo, nextHi, READ), head, size);
  }

  /** Bytes of a table that the processor reads for itself, at supervisor privilege: where they are to be found. */
  implicitRead(lo: number, hi: number, size: number, access: Access): number {
    const head = FRAME_BYTES - (lo & (FRAME_BYTES - 1));
    const first = this.resolve(lo, hi, access);
    if (head >= size) return this.isOutside(first) ? this.gather(first, 0, size, size) : first;
    const nextLo = (lo + head) | 0;
    return this.gather(first, this.resolve(nextLo, (hi + (nextLo === 0 ? 1 : 0)) | 0, access), head, size);
  }

  /** The same to write: `finishWrite` has to be called after it. */
  implicitWrite(lo: number, hi: number, size: number, access: Access): number {
    const head = FRAME_BYTES - (lo & (FRAME_BYTES - 1));
    const first = this.resolve(lo, hi, access);
    if (head >= size) return this.wait(first, 0, size, size);
    const nextLo = (lo + head) | 0;
    return this.wait(first, this.resolve(nextLo, (hi + (nextLo === 0 ? 1 : 0)) | 0, access), head, size);
  }

  private readPage(lo: number, hi: number, access: Access): number {
    const known = this.space.read.find(lo, hi);
    return known >= 0 ? known : this.fill(this.space.read, lo, hi, this.resolve(lo, hi, access));
  }

  /** Remember a translation, unless it leads out of RAM. */
  private fill(tlb: Translations, lo: number, hi: number, maddr: number): number {
    if (!this.isOutside(maddr)) tlb.fill(lo, hi, maddr & -FRAME_BYTES);
    return maddr;
  }

  /** Bring the two parts of an access together in the scratch area, and return its address. */
  private gather(first: number, second: number, head: number, size: number): number {
    const { scratch } = this.memory;
    this.copyIn(first, scratch, head);
    if (size > head) this.copyIn(second, scratch + head, size - head);
    return scratch;
  }

  private copyIn(maddr: number, to: number, size: number): void {
    const { bytes, all } = this.memory;
    if (this.isOutside(maddr)) this.platform.outside.read(maddr, all.subarray(to, to + size));
    else all.set(bytes.subarray(maddr, maddr + size), to);
  }

  private copyOut(from: number, maddr: number, size: number): void {
    const part = this.memory.all.slice(from, from + size);
    if (this.isOutside(maddr)) {
      this.toldOutside = true;
      this.platform.outside.write(maddr, part);
    } else this.memory.writeBytes(maddr, part);
  }

  /** See `writable` in address.ts. */
  writeSlow(o: Op, offset: number, top: number, size: number): number {
    const lo = this.linear(o, offset, top, size, true);
    const hi = this.high;
    if (this.capture !== null) return this.catchWrite(this.capture, o, lo, hi, size);
    const head = FRAME_BYTES - (lo & (FRAME_BYTES - 1));
    if (head >= size) {
      const maddr = this.writePage(lo, hi);
      if (this.isOutside(maddr)) return this.wait(maddr, 0, size, size);
      if ((this.memory.marks[maddr >>> 12] & MARK_WATCHED) !== 0) {
        this.memory.willWrite(maddr, size);
        this.aftercare = true;
      }
      return maddr;
    }
    const nextLo = this.second(o, (lo + head) | 0, hi);
    const nextHi = this.high;
    const first = this.writePage(lo, hi);
    return this.wait(first, this.writePage(nextLo, nextHi), head, size);
  }

  private wait(first: number, second: number, head: number, size: number): number {
    this.waiting = { first, second, head, size };
    this.aftercare = true;
    return this.gather(first, second, head, size);
  }

  /** Let the instruction write to the scratch area, which holds what it may read there. */
  private catchWrite(capture: Capture, o: Op, lo: number, hi: number, size: number): number {
    const { all, scratch } = this.memory;
    const from = capture.overwrites ? scratch : this.readSlow(o, lo, hi, size);
    if (from !== scratch) all.copyWithin(scratch, from, from + size);
    capture.begin(lo, hi, all.slice(scratch, scratch + size));
    this.aftercare = true;
    return scratch;
  }

  private writePage(lo: number, hi: number): number {
    const { space, memory } = this;
    const known = space.watched.find(lo, hi);
    if (known >= 0) return known;
    const maddr = this.resolve(lo, hi, WRITE);
    if (this.isOutside(maddr)) return maddr;
    const marks = memory.marks[maddr >>> 12];
    const watched = (marks & MARK_WATCHED) !== 0;
    if ((marks & MARK_STALE) === 0) memory.markStale(maddr >>> 12);
    return this.fill(watched ? space.watched : space.write, lo, hi, maddr);
  }

  /** After a write with aftercare. Returns whether the instruction that comes next has to be looked up anew. */
  finishWrite(): boolean {
    this.aftercare = false;
    if (this.capture !== null) this.capture.end(this.memory.all, this.memory.scratch);
    else if (this.waiting !== null) {
      const { first, second, head, size } = this.waiting;
      const { scratch } = this.memory;
      this.waiting = null;
      this.copyOut(scratch, first, head);
      if (size > head) this.copyOut(scratch + head, second, size - head);
    }
    return this.sync();
  }

  /** Forget a write that a fault has overtaken. */
  dropWrite(): void {
    this.aftercare = false;
    this.waiting = null;
  }

  /** The decoded page at `hi:lo` (page-aligned); a fault names the byte at `offset`. */
  codePage(lo: number, hi: number, offset: number): CodePage {
    const known = this.space.code(this.kind).find(lo, hi);
    if (known !== null) return known;
    if (!isCanonical(hi)) this.fault(GP, 0);
    const maddr = this.resolve(lo | offset, hi, FETCH);
    if (this.isOutside(maddr)) this.fetchOutside(lo | offset);
    const page = this.cache.page(maddr >>> 12, this.kind);
    // Decoding watches the frame from now on.
    if (this.memory.markEpoch !== this.markEpoch) {
      for (const space of this.spaces) space.clearWrites();
      this.markEpoch = this.memory.markEpoch;
    }
    this.space.code(this.kind).fill(lo, hi, page);
    return page;
  }

  /** Where no RAM answers all bytes read as ff on the bare machine, and FF FF is no instruction; nor does one begin in the last byte of 4 GiB. */
  private fetchOutside(lo: number): never {
    if (!this.platform.bare) throw new NotModelled('memory/mmio');
    if (this.legacy && lo === -1) this.fault(GP, 0);
    this.fault(UD, null);
  }

  /** The decoded page at `hi:lo` if fetching from it needs no walk. */
  protected cachedCode(lo: number, hi: number): CodePage | null {
    return this.space.code(this.kind).find(lo, hi);
  }
}
