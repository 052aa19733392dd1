/** x86/alignment-check: what ring 3 may ask to be told about. */
import type { Word } from '../../word/word.ts';
import { alignmentCheck } from './fault.ts';
import { AC } from './flags.ts';
import type { Running } from './running.ts';
import { CR0 } from './system/state.ts';

/** Throws #AC(0) when alignment is checked and `at` is no multiple of `size`, a power of two. */
export const requireAligned = (s: Running, at: Word, size: number): void => {
  if ((at.lo & (size - 1)) === 0 || (s.flags & AC) === 0) return;
  if (s.system.cpl === 3 && (s.system.cr0 & CR0.AM) !== 0) throw alignmentCheck();
};
