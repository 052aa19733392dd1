/** What lasts as long as a call does, and no longer. Chapter: spec/chapters/invariants.md, "Flags that stay". */
import type { Invariant } from './view.ts';

export const neutral: Invariant = {
  property: 'SAFE',
  states: 'What a machine sets for the length of a call, or for its way back to a guest, is not set any more when the transition is over.',
  *violations({ left }) {
    for (const what of left ?? []) yield `when all was over: ${what}`;
  },
};
