/** mmuext_op of a 32-bit domain. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { cite } from '../../journal.ts';
import { mmuextWith } from '../mm/mmuext_op.ts';
import type { Perform } from '../result.ts';

export const mmuext_op: Perform = (machine, caller, args) =>
  mmuextWith(COMPAT.mmuext_op)(cite(machine, 'compat/mmuext_op-element'), caller, args);
