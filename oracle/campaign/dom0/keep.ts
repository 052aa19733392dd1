/**
 * The model's machine as bytes and back, so that a long run can go on another day. A machine is plain data but for words, memory and the frame
 * table; what was kept is for the version that kept it.
 */
import { deserialize, serialize } from 'node:v8';
import { gunzipSync, gzipSync } from 'node:zlib';
import { emptyFrameTable, FREE_FRAME, type Frame, frameAt, withFrame } from '#model/frame_table.ts';
import type { Machine } from '#model/machine.ts';
import { populated, readPage } from '#model/memory/access.ts';
import { emptyMemory, withPageOf } from '#model/memory/memory.ts';
import { EMPTY_PAGE, pageWithBytes } from '#model/memory/page.ts';
import { Word } from '#model/word/word.ts';
import { BadInput } from '#spec/failure.ts';

const FRAME_BYTES = 4096;
const FAST = { level: 1 };

type Kept = {
  readonly rest: Omit<Machine, 'memory' | 'frames'>;
  readonly size: number;
  /** Frames of RAM that are not all zero, and their bytes one after another. */
  readonly mfns: Uint32Array;
  readonly bytes: Uint8Array;
  /** What differs from a free frame; equal states once. */
  readonly states: readonly Frame[];
  readonly stateOf: Uint32Array;
};

/** A word comes back as a plain pair of halves. */
const revive = (value: unknown): unknown => {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [key, revive(inner)]));
  if (Array.isArray(value)) return value.map(revive);
  const entries = Object.entries(value);
  if (entries.length === 2 && 'hi' in value && 'lo' in value) return new Word(value.hi as number, value.lo as number);
  return Object.fromEntries(entries.map(([key, inner]) => [key, revive(inner)]));
};

export const keepMachine = ({ memory, frames, ...rest }: Machine): Uint8Array => {
  const mfns = Uint32Array.from(populated(memory));
  const bytes = new Uint8Array(mfns.length * FRAME_BYTES);
  for (const [i, mfn] of mfns.entries()) bytes.set(readPage(memory, mfn), i * FRAME_BYTES);
  const numbers = new Map<string, number>();
  const states: Frame[] = [];
  const stateOf = Uint32Array.from({ length: frames.size }, (_, mfn) => {
    const frame = frameAt(frames, mfn)!;
    const text = JSON.stringify(frame);
    const known = numbers.get(text) ?? states.push(frame) - 1;
    numbers.set(text, known);
    return known;
  });
  const kept: Kept = { rest, size: frames.size, mfns, bytes, states, stateOf };
  return gzipSync(serialize(kept), FAST);
};

/** Throws BadInput when the bytes are not a machine. */
export const machineAgain = (bytes: Uint8Array): Machine => {
  let kept: Kept;
  try {
    kept = deserialize(gunzipSync(bytes)) as Kept;
  } catch {
    throw new BadInput('what was kept cannot be read');
  }
  const rest = revive(kept.rest) as Kept['rest'];
  let memory = emptyMemory(rest.config.frames);
  for (const [i, mfn] of kept.mfns.entries())
    memory = withPageOf(memory, mfn, pageWithBytes(EMPTY_PAGE, 0, kept.bytes.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES)));
  let frames = emptyFrameTable(kept.size);
  const free = JSON.stringify(FREE_FRAME);
  const isFree = kept.states.map((state) => JSON.stringify(state) === free);
  for (const [mfn, state] of kept.stateOf.entries()) if (!isFree[state]) frames = withFrame(frames, mfn, kept.states[state]!);
  return { ...rest, memory, frames };
};
