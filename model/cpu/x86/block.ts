/** Memory operands wider than a word: 10, 16, 512 bytes and any other number. All pages are reached before anything is written. */
import { readBytes, writeBytes } from '../../memory/access.ts';
import type { Memory } from '../../memory/memory.ts';
import { ACCESS } from '../../memory/translate.ts';
import { add, Word } from '../../word/word.ts';
import { requireAligned } from './alignment.ts';
import { requireCanonical } from './canonical.ts';
import { type Instruction, Operand } from './instruction.ts';
import { probeLinear, readLinear, writeLinear } from './linear.ts';
import { linearAddress } from './operand.ts';
import { type Running, withMemory } from './running.ts';
import { followingLinear } from './segmentation.ts';
import { noteAccess, watching } from './system/watch.ts';
import { frameFor } from './translation.ts';

export type Pair = { readonly lo: Word; readonly hi: Word };

/** The 16 bytes of a memory operand. `access` is WRITE when they will be written back; `unit` as for `readBlock`. */
export const readPair = (s: Running, i: Instruction, o: Operand, access: number = ACCESS.READ, unit = 16): Pair => {
  const at = linearAddress(s, i, o, 16, access);
  requireAligned(s, at, 16, o.stack, unit);
  if (s.system.mode === '64') requireCanonical(followingLinear(s, at, 15), o.stack);
  const lo = readLinear(s, at, 8, o.stack, access);
  return { lo, hi: readLinear(s, followingLinear(s, at, 8), 8, o.stack, access) };
};

/** The memory after writing 16 bytes to a memory operand. */
export const writePair = (s: Running, i: Instruction, o: Operand, { lo, hi }: Pair, unit = 16): Memory => {
  const at = linearAddress(s, i, o, 16, ACCESS.WRITE);
  probeLinear(s, at, 16, o.stack, unit);
  return writeLinear(withMemory(s, writeLinear(s, at, 8, lo, o.stack)), followingLinear(s, at, 8), 8, hi, o.stack);
};

/** Bytes `from` to `to` of an access, in one frame. */
type Span = { readonly frame: number; readonly offset: number; readonly from: number; readonly to: number };

/** The frames that hold `length` bytes from `at` on, reached one after another. No device takes blocks: `~frame` is where nothing answers. */
const spansOf = (s: Running, at: Word, length: number, access: number, stack: boolean): readonly Span[] => {
  if (s.system.mode === '64') {
    requireCanonical(at, stack);
    requireCanonical(followingLinear(s, at, length - 1), stack);
  }
  const spans: Span[] = [];
  for (let from = 0; from < length; ) {
    const place = followingLinear(s, at, from);
    const offset = place.lo & 4095;
    const to = Math.min(length, from + 4096 - offset);
    const frame = frameFor(s, place, access, stack);
    spans.push({ frame, offset, from, to });
    from = to;
  }
  return spans;
};

/** The operand `offset` bytes further on. Its address is cut to the address size again, so that a large area may wrap. */
const beyond = (o: Operand, offset: number): Operand =>
  offset === 0
    ? o
    : new Operand(o.kind, o.size, o.index, add(o.value, new Word(0, offset)), o.base, o.scale, o.segment, o.addressSize, o.stack, o.bytes);

/** Areas from here on (FXSAVE's, XSAVE's) are reached 16 bytes by 16 bytes. */
const LARGE = 128;
const PIECE = 16;

const readPieces = (s: Running, i: Instruction, o: Operand, length: number, offset: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += PIECE) bytes.set(readBlock(s, i, o, Math.min(PIECE, length - at), offset + at), at);
  return bytes;
};

const writePieces = (s: Running, i: Instruction, o: Operand, bytes: Uint8Array, offset: number): Memory => {
  let now = s;
  for (let at = 0; at < bytes.length; at += PIECE)
    now = withMemory(now, writeBlock(now, i, o, bytes.subarray(at, at + PIECE), offset + at));
  return now.memory;
};

/**
 * The first `length` bytes of a memory operand, or those from `offset` bytes behind its address. `unit`: what they must be aligned to
 * where alignment is checked (x86/alignment-check).
 */
export const readBlock = (s: Running, i: Instruction, o: Operand, length: number, offset = 0, unit = 1): Uint8Array => {
  if (length >= LARGE) return readPieces(s, i, o, length, offset);
  const at = linearAddress(s, i, beyond(o, offset), length);
  requireAligned(s, at, unit, o.stack);
  const bytes = new Uint8Array(length);
  if (watching.armed) noteAccess(s, at, length, false);
  for (const { frame, offset: inFrame, from, to } of spansOf(s, at, length, ACCESS.READ, o.stack))
    if (frame >= 0) bytes.set(readBytes(s.memory, frame, inFrame, to - from), from);
    else bytes.fill(0xff, from, to);
  return bytes;
};

/** The memory after writing `bytes` to a memory operand, or from `offset` bytes behind its address on. `unit` as for `readBlock`. */
export const writeBlock = (s: Running, i: Instruction, o: Operand, bytes: Uint8Array, offset = 0, unit = 1): Memory => {
  if (bytes.length >= LARGE) return writePieces(s, i, o, bytes, offset);
  const at = linearAddress(s, i, beyond(o, offset), bytes.length, ACCESS.WRITE);
  requireAligned(s, at, unit, o.stack);
  if (watching.armed) noteAccess(s, at, bytes.length, true);
  return spansOf(s, at, bytes.length, ACCESS.WRITE, o.stack).reduce(
    (memory, { frame, offset: inFrame, from, to }) => (frame < 0 ? memory : writeBytes(memory, frame, inFrame, bytes.subarray(from, to))),
    s.memory,
  );
};
