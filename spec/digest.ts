/**
 * Digests of memory and of the frame table: sums over all places of a mix of place and value, so that an engine may keep
 * them incrementally, page by page, or recompute them. Two independent 32-bit sums make one digest. Zero words add nothing.
 */
import { FRAME_TYPES, type FrameObservation } from './observation.ts';

const finish = (h: number): number => {
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
};

/** First sum's term for the 8-byte word number `word` (0..511) of frame `mfn` with halves `lo`, `hi` (int32). */
export const mixFirst = (mfn: number, word: number, lo: number, hi: number): number =>
  (lo | hi) === 0 ? 0 : finish(Math.imul(lo, 0x9e3779b1) ^ finish(Math.imul(hi, 0x85ebca77) ^ Math.imul(mfn * 512 + word + 1, 0xc2b2ae3d)));

/** Second sum's term; same arguments, other constants. */
export const mixSecond = (mfn: number, word: number, lo: number, hi: number): number =>
  (lo | hi) === 0 ? 0 : finish(Math.imul(hi, 0x27d4eb2f) ^ finish(Math.imul(lo, 0x165667b1) ^ Math.imul(mfn * 512 + word + 7, 0xd3a2646d)));

/**
 * Frame state as two words for the mix: word 0 = {owner, type, pinned | references}, word 1 = {type references, the state of a table
 * that stopped half way}. A free frame is all zero.
 */
export const packFrame = (f: FrameObservation): readonly [lo0: number, hi0: number, lo1: number, hi1: number] => [
  (f.owner === null ? 0 : f.owner + 1) |
    (FRAME_TYPES.indexOf(f.type) << 20) |
    (f.pinned ? 1 << 24 : 0) |
    (f.allocated === false ? 1 << 25 : 0),
  f.refs | 0,
  f.type_refs | 0,
  f.partial === null ? 0 : ((f.partial.entries + 1) << 1) | (f.partial.nested ? 1 : 0),
];

/** The digest's text: 16 hex digits. */
export const digestText = (first: number, second: number): string =>
  (first >>> 0).toString(16).padStart(8, '0') + (second >>> 0).toString(16).padStart(8, '0');
