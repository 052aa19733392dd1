/** What can be measured. */
import type { Work } from './measure.ts';

export type Unit = 'steps' | 'instructions' | 'programs' | 'hypercalls' | 'boots' | 'pairs';

export type Bench = {
  /** `<machine>: <work>`; `--only` takes a part of it. */
  readonly name: string;
  readonly unit: Unit;
  /** Units a second of the working thread's CPU time; null where nothing is promised. */
  readonly goal: number | null;
  /** The goal belongs to a later version: it is shown, and missing it is no news. */
  readonly later?: boolean;
  /** Rounds before the first one that counts, because V8 is compiling what they run; 1 unless said otherwise. */
  readonly warmUp?: number;
  /** What the work is made of, in words to stand below the table. */
  readonly about?: () => string;
  /** Make everything ready for one round, which is timed alone. `effort` 1 is worth measuring; tests make do with less. */
  readonly round: (effort: number) => Work;
};
