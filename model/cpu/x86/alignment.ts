/** x86/alignment-check: what ring 3 may ask to be told about. */
import { addInt, type Word } from '../../word/word.ts';
import { requireCanonical } from './canonical.ts';
import { alignmentCheck } from './fault.ts';
import { AC } from './flags.ts';
import type { Running } from './running.ts';
import { CR0 } from './system/state.ts';

/** Throws #AC(0) when alignment is checked and `at`, where `size` bytes begin, is no multiple of `unit`, a power of two. */
export const requireAligned = (s: Running, at: Word, size: number, stack: boolean, unit: number = size): void => {
  if ((at.lo & (unit - 1)) === 0 || (s.flags & AC) === 0) return;
  if (s.system.cpl !== 3 || (s.system.cr0 & CR0.AM) === 0) return;
  if (s.system.mode === '64') {
    requireCanonical(at, stack);
    requireCanonical(addInt(at, size - 1), stack);
  }
  throw alignmentCheck();
};
