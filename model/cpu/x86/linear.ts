/**
 * Data at linear addresses, as ring 3 reads and writes it. When an access crosses from one
 * page into the next, both are reached before it happens.
 */
import { read, write } from '../../memory/access.ts';
import type { Memory } from '../../memory/memory.ts';
import { ACCESS } from '../../memory/translate.ts';
import type { Size } from '../../word/size.ts';
import { addInt, or, shl, shr, Word } from '../../word/word.ts';
import { requireCanonical } from './canonical.ts';
import type { Running } from './running.ts';
import { frameFor } from './translation.ts';

const LAST = 4095;

/** `size` bytes at `at`, zero-extended. `access` is WRITE when the instruction will write the same bytes back. */
export const readLinear = (s: Running, at: Word, size: Size, stack: boolean, access: number = ACCESS.READ): Word => {
  const offset = at.lo & LAST;
  if (offset + size > 4096) requireEnds(at, size, stack);
  const frame = frameFor(s, at, access, stack);
  if (offset + size <= 4096) return read(s.memory, frame, offset, size);
  const here = 4096 - offset;
  const next = frameFor(s, addInt(at, here), access, stack);
  return or(readShort(s.memory, frame, offset, here), shl(readShort(s.memory, next, 0, size - here), here * 8));
};

/** The memory after writing `size` bytes at `at`. Both pages of a crossing access are translated before either is written. */
export const writeLinear = (s: Running, at: Word, size: Size, value: Word, stack: boolean): Memory => {
  const offset = at.lo & LAST;
  if (offset + size > 4096) requireEnds(at, size, stack);
  const frame = frameFor(s, at, ACCESS.WRITE, stack);
  if (offset + size <= 4096) return write(s.memory, frame, offset, size, value);
  const here = 4096 - offset;
  const next = frameFor(s, addInt(at, here), ACCESS.WRITE, stack);
  return writeShort(writeShort(s.memory, frame, offset, here, value), next, 0, size - here, shr(value, here * 8));
};

/** An access that crosses a page must be canonical at both ends before either page is looked up. */
const requireEnds = (at: Word, size: Size, stack: boolean): void => {
  requireCanonical(at, stack);
  requireCanonical(addInt(at, size - 1), stack);
};

/** 1 to 7 bytes of one frame. */
const readShort = (memory: Memory, frame: number, offset: number, length: number): Word => {
  let value = new Word(0, 0);
  for (let i = length - 1; i >= 0; i--) value = or(shl(value, 8), read(memory, frame, offset + i, 1));
  return value;
};

const writeShort = (memory: Memory, frame: number, offset: number, length: number, value: Word): Memory => {
  let next = memory;
  for (let i = 0; i < length; i++) next = write(next, frame, offset + i, 1, shr(value, 8 * i));
  return next;
};
