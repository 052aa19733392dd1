/**
 * Data at linear addresses, as the current privilege level reads and writes it. When an access crosses from one page into the next,
 * both are reached before it happens.
 */
import { read, write } from '../../memory/access.ts';
import type { Memory } from '../../memory/memory.ts';
import { ACCESS } from '../../memory/translate.ts';
import { type Size, zeroExtend } from '../../word/size.ts';
import { addInt, fromNumber, or, shl, shr, type Word, ZERO } from '../../word/word.ts';
import { requireAligned } from './alignment.ts';
import { requireCanonical } from './canonical.ts';
import { AC } from './flags.ts';
import { ask } from './outside.ts';
import { type Running, withMemory } from './running.ts';
import { followingLinear } from './segmentation.ts';
import { noteAccess, watching } from './system/watch.ts';
import { frameFor } from './translation.ts';

const LAST = 4095;

/** `size` bytes at `at`, zero-extended. `access` is WRITE when the instruction will write the same bytes back. */
export const readLinear = (s: Running, at: Word, size: Size, stack: boolean, access: number = ACCESS.READ): Word => {
  const offset = at.lo & LAST;
  if ((s.flags & AC) !== 0) requireAligned(s, at, size, stack);
  if (watching.armed) noteAccess(s, at, size, false);
  if (offset + size > 4096) requireEnds(s, at, size, stack);
  const frame = frameFor(s, at, access, stack);
  if (offset + size <= 4096) return frame >= 0 ? read(s.memory, frame, offset, size) : load(s, frame, offset, size);
  const here = 4096 - offset;
  const next = frameFor(s, followingLinear(s, at, here), access, stack);
  return or(readPart(s, frame, offset, here), shl(readPart(s, next, 0, size - here), here * 8));
};

/** The memory after writing `size` bytes at `at`. Both pages of a crossing access are translated before either is written. */
export const writeLinear = (s: Running, at: Word, size: Size, value: Word, stack: boolean): Memory => {
  const offset = at.lo & LAST;
  if ((s.flags & AC) !== 0) requireAligned(s, at, size, stack);
  if (watching.armed) noteAccess(s, at, size, true);
  if (offset + size > 4096) requireEnds(s, at, size, stack);
  const frame = frameFor(s, at, ACCESS.WRITE, stack);
  if (offset + size <= 4096) return frame >= 0 ? write(s.memory, frame, offset, size, value) : store(s, frame, offset, size, value);
  const here = 4096 - offset;
  const next = frameFor(s, followingLinear(s, at, here), ACCESS.WRITE, stack);
  return writePart(withMemory(s, writePart(s, frame, offset, here, value)), next, 0, size - here, shr(value, here * 8));
};

/** Reach the bytes for a write as `writeLinear` would, and write nothing. `unit`: what they must be aligned to, if that is asked for. */
export const probeLinear = (s: Running, at: Word, length: number, stack: boolean, unit = 1): void => {
  const offset = at.lo & LAST;
  requireAligned(s, at, length, stack, unit);
  if (offset + length > 4096) requireEnds(s, at, length, stack);
  for (let n = 0; n < length; n = n === 0 ? 4096 - offset : n + 4096) frameFor(s, followingLinear(s, at, n), ACCESS.WRITE, stack);
};

/** An access that crosses a page must be canonical at both ends before either page is looked up. */
const requireEnds = (s: Running, at: Word, size: number, stack: boolean): void => {
  if (s.system.mode !== '64') return;
  requireCanonical(at, stack);
  requireCanonical(addInt(at, size - 1), stack);
};

const physical = (complement: number, offset: number): Word => fromNumber(~complement * 4096 + offset);

const load = (s: Running, complement: number, offset: number, size: Size): Word =>
  zeroExtend(ask(s, { kind: 'load', at: physical(complement, offset), size }) ?? ZERO, size);

const store = (s: Running, complement: number, offset: number, size: Size, value: Word): Memory => {
  ask(s, { kind: 'store', at: physical(complement, offset), size, value: zeroExtend(value, size) });
  return s.memory;
};

/** 1 to 7 bytes of one frame; where RAM does not answer, byte by byte. */
const readPart = (s: Running, frame: number, offset: number, length: number): Word => {
  let value = ZERO;
  for (let i = length - 1; i >= 0; i--)
    value = or(shl(value, 8), frame >= 0 ? read(s.memory, frame, offset + i, 1) : load(s, frame, offset + i, 1));
  return value;
};

const writePart = (s: Running, frame: number, offset: number, length: number, value: Word): Memory => {
  let next = s.memory;
  for (let i = 0; i < length; i++) {
    const byte = shr(value, 8 * i);
    if (frame >= 0) next = write(next, frame, offset + i, 1, byte);
    else store(s, frame, offset + i, 1, byte);
  }
  return next;
};
