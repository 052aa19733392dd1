/** What instructions can see of the machine besides memory. */
import type { CpuidLeaf } from '#spec/config.ts';
import type { Word } from '../../word/word.ts';
import type { Answers } from './outside.ts';

export type Platform = {
  readonly cpuid: readonly CpuidLeaf[];
  /** Xen's emulator in place of a processor (emulation/ptwr-bit_offset). */
  readonly emulator?: true;
  /** The time-stamp counter before the first step of the run; it grows by one a step (looseness `open/tsc-rate`). */
  readonly tsc: Word;
  /** What the first instruction of the run has been told from outside; the run then takes one step. */
  readonly answers?: Answers;
};
