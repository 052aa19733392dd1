/**
 * What makes the model fast without being part of it: knowledge about the newest memory only. Translations and decoded
 * instructions are remembered for one memory value. A write makes a new value; the knowledge moves along when it does
 * not touch a frame that it was drawn from, and is dropped when it does. Any other memory starts from nothing, so an old
 * machine gives the answers that it always gave.
 */
import type { Memory } from './memory.ts';

let newest: Memory | null = null;
/** Grows each time that all knowledge is dropped. */
let epoch = 0;
/** Frames that the knowledge was drawn from: page tables and code. */
const sources = new Uint8Array(1 << 22);
const marked: number[] = [];

const forget = (): void => {
  epoch++;
  for (const mfn of marked) sources[mfn] = 0;
  marked.length = 0;
};

/** The epoch in which knowledge about this memory is kept. Holders of older knowledge must not use it. */
export const epochOf = (m: Memory): number => {
  if (m !== newest) {
    forget();
    newest = m;
  }
  return epoch;
};

/** Something was learnt from frame `mfn` of the newest memory. */
export const learntFrom = (mfn: number): void => {
  if (sources[mfn] === 1) return;
  sources[mfn] = 1;
  marked.push(mfn);
};

/** `after` differs from `before` in frame `mfn` at most. */
export const noteWrite = (before: Memory, after: Memory, mfn: number): void => {
  if (before !== newest) return;
  newest = after;
  if (sources[mfn] === 1) forget();
};
