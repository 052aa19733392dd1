/**
 * Machine memory: one flat array of RAM frames, zero until written (the host gives pages on first touch).
 *
 * Whoever caches something that follows from memory (decoded instructions, translations) marks the frame; a write to a marked frame
 * tells the cache. Writers that go round `write*` (the CPU's fast path) may touch unmarked frames only.
 */
import { digestText, mixFirst, mixSecond } from '#spec/digest.ts';
import { BadInput } from '#spec/failure.ts';
import { giveBuffer, takeBuffer } from './buffer.ts';

/** Bytes in a frame. */
export const FRAME_BYTES = 4096;
const SCRATCH_BYTES = 128;
/** Below 2 GiB: machine addresses stay within a signed 32-bit integer, which keeps the engine's arithmetic on integers. */
const MOST_FRAMES = 0x7ffff;

/** The digest of this frame has to be computed anew. */
export const MARK_STALE = 1;
/** Instructions of this frame are kept decoded. */
export const MARK_CODE = 2;
/** Some cached translation came through this frame. */
export const MARK_TABLE = 4;
/** A write to this frame needs more than storing the bytes. */
export const MARK_WATCHED = MARK_CODE | MARK_TABLE;

/** Told before `size` bytes at machine address `maddr` of a frame with MARK_CODE change. */
export type CodeWatcher = (maddr: number, size: number) => void;

export class Memory {
  readonly frames: number;
  /** All of RAM. Read freely; write through the methods. */
  readonly bytes: Uint8Array;
  /** The same and, behind it from `scratch` on, room for CPUs to put a value together that lies in two frames. */
  readonly all: Uint8Array;
  readonly view: DataView;
  /** All of RAM by words of four bytes: for aligned ones. */
  readonly words: Int32Array;
  readonly scratch: number;
  /** Marks of each frame. */
  readonly marks: Uint8Array;
  /** Grows whenever a frame that a cached translation came through is written: translations made before are void. */
  tableEpoch = 0;
  /** Grows whenever the fast path must ask again before it writes: a frame was marked, or digests were brought up to date. */
  markEpoch = 0;
  readonly codeWatchers: CodeWatcher[] = [];
  private readonly firstSums: Int32Array;
  private readonly secondSums: Int32Array;
  private first = 0;
  private second = 0;
  private stale: number[] = [];
  private readonly touched: Uint8Array;

  /** @param frames RAM in 4 KiB frames. Throws BadInput from 2 GiB on. */
  constructor(frames: number) {
    if (frames > MOST_FRAMES) throw new BadInput(`the executor holds at most ${MOST_FRAMES} frames of memory, not ${frames}`);
    this.frames = frames;
    this.scratch = frames * FRAME_BYTES;
    const buffer = takeBuffer(this.scratch + SCRATCH_BYTES);
    this.bytes = new Uint8Array(buffer, 0, this.scratch);
    this.all = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer, 0, this.scratch >> 2);
    this.marks = new Uint8Array(frames);
    this.firstSums = new Int32Array(frames);
    this.secondSums = new Int32Array(frames);
    this.touched = new Uint8Array(frames);
  }

  /** Unsigned value of 1, 2 or 4 bytes at a machine address; any alignment. */
  read8(maddr: number): number {
    return this.bytes[maddr];
  }
  read16(maddr: number): number {
    return this.view.getUint16(maddr, true);
  }
  read32(maddr: number): number {
    return this.view.getUint32(maddr, true);
  }
  read64(maddr: number): bigint {
    return this.view.getBigUint64(maddr, true);
  }
  /** A copy of `length` bytes. */
  readBytes(maddr: number, length: number): Uint8Array {
    return this.bytes.slice(maddr, maddr + length);
  }

  write8(maddr: number, value: number): void {
    this.willWrite(maddr, 1);
    this.bytes[maddr] = value;
  }
  write16(maddr: number, value: number): void {
    this.willWrite(maddr, 2);
    this.view.setUint16(maddr, value, true);
  }
  write32(maddr: number, value: number): void {
    this.willWrite(maddr, 4);
    this.view.setInt32(maddr, value, true);
  }
  write64(maddr: number, value: bigint): void {
    this.willWrite(maddr, 8);
    this.view.setBigUint64(maddr, value, true);
  }
  /** Low and high half of an 8-byte value. */
  writeHalves(maddr: number, lo: number, hi: number): void {
    this.willWrite(maddr, 8);
    this.view.setInt32(maddr, lo, true);
    this.view.setInt32(maddr + 4, hi, true);
  }
  /** Low half of a page table entry in which only accessed or dirty bits change: cached translations stay true. */
  writeEntryFlags(maddr: number, low: number): void {
    const marks = this.marks[maddr >>> 12];
    if ((marks & MARK_STALE) === 0) this.markStale(maddr >>> 12);
    if ((marks & MARK_CODE) !== 0) this.tellCode(maddr, 4);
    this.view.setInt32(maddr, low, true);
  }
  writeBytes(maddr: number, bytes: Uint8Array): void {
    this.willWrite(maddr, bytes.length);
    this.bytes.set(bytes, maddr);
  }
  fill(maddr: number, length: number, value: number): void {
    this.willWrite(maddr, length);
    this.bytes.fill(value, maddr, maddr + length);
  }

  /** To be called before `size` bytes from `maddr` change; the `write` methods do it themselves. */
  willWrite(maddr: number, size: number): void {
    const last = (maddr + size - 1) >>> 12;
    for (let mfn = maddr >>> 12; mfn <= last; mfn++) {
      const marks = this.marks[mfn];
      if ((marks & MARK_STALE) === 0) this.markStale(mfn);
      if ((marks & MARK_TABLE) !== 0) this.tableEpoch++;
      if ((marks & MARK_CODE) !== 0) {
        const from = Math.max(maddr, mfn * FRAME_BYTES);
        this.tellCode(from, Math.min(maddr + size, (mfn + 1) * FRAME_BYTES) - from);
      }
    }
  }

  private tellCode(maddr: number, size: number): void {
    for (const told of this.codeWatchers) told(maddr, size);
  }

  /** From now on writes to the frame are watched for `mark` (MARK_CODE or MARK_TABLE). */
  watch(mfn: number, mark: number): void {
    if ((this.marks[mfn] & mark) !== 0) return;
    this.marks[mfn] |= mark;
    this.markEpoch++;
  }

  /** The frame's content is about to change. */
  markStale(mfn: number): void {
    this.marks[mfn] |= MARK_STALE;
    this.touched[mfn] = 1;
    this.stale.push(mfn);
  }

  /** Digest of all memory (spec/digest.ts). Costs time in proportion to the frames written since the last call. */
  digest(): string {
    for (const mfn of this.stale) this.refresh(mfn);
    if (this.stale.length > 0) this.markEpoch++;
    this.stale = [];
    return digestText(this.first, this.second);
  }

  /** The frame's part of the digest when that was last asked for, as one number of 53 bits. */
  pageDigest(mfn: number): number {
    return (this.firstSums[mfn] >>> 0) * 0x200000 + (this.secondSums[mfn] >>> 11);
  }

  private refresh(mfn: number): void {
    let first = 0;
    let second = 0;
    const { view } = this;
    for (let word = 0, at = mfn * FRAME_BYTES; word < 512; word++, at += 8) {
      const lo = view.getInt32(at, true);
      const hi = view.getInt32(at + 4, true);
      if ((lo | hi) === 0) continue;
      first = (first + mixFirst(mfn, word, lo, hi)) | 0;
      second = (second + mixSecond(mfn, word, lo, hi)) | 0;
    }
    this.first = (this.first + first - this.firstSums[mfn]) | 0;
    this.second = (this.second + second - this.secondSums[mfn]) | 0;
    this.firstSums[mfn] = first;
    this.secondSums[mfn] = second;
    this.marks[mfn] &= ~MARK_STALE;
  }

  /** Give the bytes back, to be used by another machine: this memory must not be touched again. */
  release(): void {
    for (let mfn = this.touched.indexOf(1); mfn >= 0; mfn = this.touched.indexOf(1, mfn + 1))
      this.bytes.fill(0, mfn * FRAME_BYTES, (mfn + 1) * FRAME_BYTES);
    this.all.fill(0, this.scratch);
    giveBuffer(this.view.buffer as ArrayBuffer);
  }

  /** A copy of the 4096 bytes of a frame. */
  page(mfn: number): Uint8Array {
    return this.readBytes(mfn * FRAME_BYTES, FRAME_BYTES);
  }

  /** Frames that hold a non-zero byte, ascending. */
  *populated(): Generator<number> {
    for (let mfn = 0; mfn < this.frames; mfn++) {
      if (this.touched[mfn] === 1 && this.page(mfn).some((byte) => byte !== 0)) yield mfn;
    }
  }
}
