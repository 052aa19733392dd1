/** Reading and writing machine memory by byte offset in a frame. No access here crosses the end of its frame. */
import { digestText } from '#spec/digest.ts';
import { type Size, zeroExtend } from '../word/size.ts';
import { and, not, ONE, or, shl, shr, sub, type Word, word } from '../word/word.ts';
import { type Memory, pageOf, readWord, settled, withPageOf, writeWord } from './memory.ts';
import { EMPTY_PAGE, pageByte, pageBytes, pageOfBytes, pageWithBytes } from './page.ts';
import { populatedFrames, treeSums } from './tree.ts';

export const FRAME_BYTES = 4096;

/** `size` bytes at `offset` of a frame, little-endian, zero-extended. */
export const read = (m: Memory, mfn: number, offset: number, size: Size): Word => {
  const shift = (offset & 7) * 8;
  const first = readWord(m, mfn, offset >> 3);
  if (shift === 0) return zeroExtend(first, size);
  const low = shr(first, shift);
  if (shift + size * 8 <= 64) return zeroExtend(low, size);
  return zeroExtend(or(low, shl(readWord(m, mfn, (offset >> 3) + 1), 64 - shift)), size);
};

/** The low `size` bytes of `value` at `offset` of a frame. */
export const write = (m: Memory, mfn: number, offset: number, size: Size, value: Word): Memory => {
  const shift = (offset & 7) * 8;
  const index = offset >> 3;
  if (shift === 0 && size === 8) return writeWord(m, mfn, index, value);
  const mask = onesBelow(size * 8);
  const bytes = and(value, mask);
  const first = writeWord(m, mfn, index, or(and(readWord(m, mfn, index), not(shl(mask, shift))), shl(bytes, shift)));
  if (shift + size * 8 <= 64) return first;
  const rest = 64 - shift;
  return writeWord(first, mfn, index + 1, or(and(readWord(first, mfn, index + 1), not(shr(mask, rest))), shr(bytes, rest)));
};

/** The lowest n bits set, n from 1 to 64. */
const onesBelow = (n: number): Word => (n === 64 ? word(-1, -1) : sub(shl(ONE, n), ONE));

/** The byte at `offset` of a frame. */
export const readByte = (m: Memory, mfn: number, offset: number): number => pageByte(pageOf(m, mfn), offset);

/** `length` bytes at `offset` of a frame. */
export const readBytes = (m: Memory, mfn: number, offset: number, length: number): Uint8Array => pageBytes(pageOf(m, mfn), offset, length);

/** Bytes written from `offset` of a frame on. */
export const writeBytes = (m: Memory, mfn: number, offset: number, bytes: Uint8Array): Memory =>
  bytes.length === 0 ? m : withPageOf(m, mfn, pageWithBytes(pageOf(m, mfn), offset, bytes));

/** The 4096 bytes of a frame. */
export const readPage = (m: Memory, mfn: number): Uint8Array => readBytes(m, mfn, 0, FRAME_BYTES);

/** A frame's 4096 bytes replaced. */
export const writePage = (m: Memory, mfn: number, bytes: Uint8Array): Memory => withPageOf(m, mfn, pageOfBytes(bytes));

export const clearPage = (m: Memory, mfn: number): Memory => (pageOf(m, mfn) === EMPTY_PAGE ? m : withPageOf(m, mfn, EMPTY_PAGE));

/** Frames that hold a byte that is not zero, ascending. */
export const populated = (m: Memory): Iterable<number> => populatedFrames(settled(m));

/** Digest of all memory (spec/digest.ts). */
export const memoryDigest = (m: Memory): string => {
  const { first, second } = treeSums(settled(m));
  return digestText(first, second);
};
