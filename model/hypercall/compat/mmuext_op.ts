/** mmuext_op of a 32-bit domain. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { cite } from '../../journal.ts';
import { mmuextWith } from '../mm/mmuext_op.ts';
import { done, type Perform } from '../result.ts';

/** A call for no operation at all is over before anything but its array is looked at. */
export const mmuext_op: Perform = (machine, caller, args) =>
  args[1].lo === 0
    ? done(machine, 'compat/mmuext_op-element')
    : mmuextWith(COMPAT.mmuext_op)(cite(machine, 'compat/mmuext_op-element'), caller, args);
