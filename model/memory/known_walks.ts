/**
 * Walks of Xen's own copies, remembered while they surely hold (newest.ts): a walk that found every accessed and dirty bit set finds
 * the same again until a table on its way is written. Remembering never shows, it only saves the walk.
 */
import type { Word } from '../word/word.ts';
import type { Memory } from './memory.ts';
import { epochOf, learntFrom } from './newest.ts';
import { ACCESS, type Walk } from './translate.ts';

const SLOTS = 256;
const pageHi = new Int32Array(SLOTS);
const pageLo = new Int32Array(SLOTS);
const roots = new Int32Array(SLOTS);
const epochs = new Int32Array(SLOTS).fill(-1);
/** Accesses that need no new walk: WRITE, or none but reads. */
const allowed = new Int32Array(SLOTS);
const frames = new Float64Array(SLOTS);

const slotOf = ({ hi, lo }: Word): number => ((lo >>> 12) ^ (hi << 3)) & (SLOTS - 1);

/** The frame that an access (0 or WRITE) to `va` reaches without changing anything; −1 when that is not known. */
export const knownFrame = (memory: Memory, root: number, va: Word, access: number): number => {
  const slot = slotOf(va);
  return pageLo[slot] === (va.lo & ~0xfff) &&
    pageHi[slot] === va.hi &&
    roots[slot] === root &&
    epochs[slot] === epochOf(memory) &&
    (access & ~allowed[slot]) === 0
    ? frames[slot]
    : -1;
};

/** Remember a walk that left `memory` as it was. */
export const rememberWalk = (memory: Memory, root: number, va: Word, { frame, rights, used }: Walk & { kind: 'mapped' }): void => {
  const slot = slotOf(va);
  epochs[slot] = epochOf(memory);
  for (const { table } of used) learntFrom(table);
  pageLo[slot] = va.lo & ~0xfff;
  pageHi[slot] = va.hi;
  roots[slot] = root;
  allowed[slot] = rights.write && rights.dirty ? ACCESS.WRITE : 0;
  frames[slot] = frame;
};
