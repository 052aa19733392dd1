/** Xen's own accesses to guest memory: copies through a guest's page tables with supervisor rights. */

import { NotModelled } from '#spec/failure.ts';
import type { Size } from '../word/size.ts';
import { addInt, Word } from '../word/word.ts';
import { FRAME_BYTES, readBytes, writeBytes } from './access.ts';
import { knownFrame, rememberWalk } from './known_walks.ts';
import { type Memory, readWord, writeWord } from './memory.ts';
import { ACCESS, isCanonical, walk } from './translate.ts';

/** `done`: the copy and the memory with its accessed and dirty bits. `fault`: the first address that could not be reached. */
export type GuestRead = { readonly kind: 'done'; readonly bytes: Uint8Array; readonly memory: Memory } | GuestFault;
export type GuestWrite = { readonly kind: 'done'; readonly memory: Memory } | GuestFault;
export type GuestWords = { readonly kind: 'words'; readonly words: readonly Word[]; readonly memory: Memory };
export type GuestFault = { readonly kind: 'fault'; readonly address: Word; readonly error: number; readonly memory: Memory };

type Piece = { readonly va: Word; readonly offset: number; readonly at: number; readonly length: number };

/** Cut [va, va + length) at the ends of pages. */
const pieces = (va: Word, length: number): readonly Piece[] => {
  const all: Piece[] = [];
  for (let at = 0; at < length; ) {
    const here = at === 0 ? va : addInt(va, at);
    const offset = here.lo & (FRAME_BYTES - 1);
    const size = Math.min(length - at, FRAME_BYTES - offset);
    all.push({ va: here, offset, at, length: size });
    at += size;
  }
  return all;
};

const isWithinPage = (va: Word, length: number): boolean => length > 0 && (va.lo & (FRAME_BYTES - 1)) + length <= FRAME_BYTES;

/** `length` bytes at a guest address. */
export const readGuest = (memory: Memory, root: number, va: Word, length: number): GuestRead => {
  if (isWithinPage(va, length)) {
    const found = reach(memory, root, va, ACCESS.READ);
    if (found.kind === 'fault') return found;
    return { kind: 'done', bytes: readBytes(found.memory, found.frame, va.lo & (FRAME_BYTES - 1), length), memory: found.memory };
  }
  const bytes = new Uint8Array(length);
  let now = memory;
  for (const piece of pieces(va, length)) {
    const found = reach(now, root, piece.va, ACCESS.READ);
    if (found.kind === 'fault') return found;
    now = found.memory;
    bytes.set(readBytes(now, found.frame, piece.offset, piece.length), piece.at);
  }
  return { kind: 'done', bytes, memory: now };
};

/** Bytes to a guest address. After a fault the pieces before it stay written, as in a copy that Xen breaks off. */
export const writeGuest = (memory: Memory, root: number, va: Word, bytes: Uint8Array): GuestWrite => {
  if (isWithinPage(va, bytes.length)) {
    const found = reach(memory, root, va, ACCESS.WRITE);
    if (found.kind === 'fault') return found;
    return { kind: 'done', memory: writeBytes(found.memory, found.frame, va.lo & (FRAME_BYTES - 1), bytes) };
  }
  let now = memory;
  for (const piece of pieces(va, bytes.length)) {
    const found = reach(now, root, piece.va, ACCESS.WRITE);
    if (found.kind === 'fault') return found;
    now = writeBytes(found.memory, found.frame, piece.offset, bytes.subarray(piece.at, piece.at + piece.length));
  }
  return { kind: 'done', memory: now };
};

/** `count` words at an aligned guest address whose page holds them all; null when it is another address. */
export const readGuestWords = (memory: Memory, root: number, va: Word, count: number): GuestWords | GuestFault | null => {
  if ((va.lo & 7) !== 0 || !isWithinPage(va, count * 8)) return null;
  const found = reach(memory, root, va, ACCESS.READ);
  if (found.kind === 'fault') return found;
  const first = (va.lo & (FRAME_BYTES - 1)) >> 3;
  const words = new Array<Word>(count);
  for (let i = 0; i < count; i++) words[i] = readWord(found.memory, found.frame, first + i);
  return { kind: 'words', words, memory: found.memory };
};

/** A word to an aligned guest address. */
export const writeGuestWord = (memory: Memory, root: number, va: Word, value: Word): GuestWrite => {
  const found = reach(memory, root, va, ACCESS.WRITE);
  if (found.kind === 'fault') return found;
  return { kind: 'done', memory: writeWord(found.memory, found.frame, (va.lo & (FRAME_BYTES - 1)) >> 3, value) };
};

type Reached = { readonly kind: 'mapped'; readonly frame: number; readonly memory: Memory } | GuestFault;

const reach = (memory: Memory, root: number, va: Word, access: number): Reached => {
  const known = knownFrame(memory, root, va, access);
  if (known >= 0) return { kind: 'mapped', frame: known, memory };
  if (!isCanonical(va)) return { kind: 'fault', address: va, error: 0, memory };
  const found = walk(memory, root, va, access);
  if (found.kind === 'fault') return { kind: 'fault', address: va, error: found.error, memory };
  // What a device would answer to Xen's copy is not known.
  if (found.frame >= memory.frames) throw new NotModelled('memory/mmio');
  if (found.memory === memory) rememberWalk(memory, root, va, found);
  return found;
};

/** Little-endian value of `size` bytes at `at` in a copy. */
export const wordIn = (bytes: Uint8Array, at: number, size: Size = 8): Word => {
  if (size === 8) return new Word(int32In(bytes, at + 4), int32In(bytes, at));
  if (size === 4) return new Word(0, int32In(bytes, at));
  return new Word(0, size === 2 ? bytes[at] | (bytes[at + 1] << 8) : bytes[at]);
};

const int32In = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

/** Bytes of words, little-endian, eight each. */
export const bytesOf = (words: readonly Word[]): Uint8Array => {
  const bytes = new Uint8Array(words.length * 8);
  for (let i = 0; i < bytes.length; i++) {
    const { hi, lo } = words[i >> 3];
    bytes[i] = ((i & 4) === 0 ? lo : hi) >>> ((i & 3) * 8);
  }
  return bytes;
};
