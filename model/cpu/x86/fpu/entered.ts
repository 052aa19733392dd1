/** fp/mmx-entered_anyway: some instructions with MMX registers make them valid even when they fault. */
import { Exit } from '../fault.ts';
import { changed, citing, type Semantics } from '../running.ts';
import { inMmx } from './simd.ts';

/** The rule, whose faults show the registers as MMX registers; `memory`: those of its memory operand, too. */
export const enteringMmx =
  (rule: Semantics, memory: boolean): Semantics =>
  (s, i) => {
    try {
      return rule(s, i);
    } catch (thrown) {
      if (!(thrown instanceof Exit) || (thrown.after === null && !memory)) throw thrown;
      const at = thrown.after ?? s;
      const entered = changed(citing(at, 'fp/mmx-entered_anyway'), { fpu: inMmx(at.fpu) });
      throw new Exit(thrown.kind, entered, thrown.fault, thrown.clause);
    }
  };
