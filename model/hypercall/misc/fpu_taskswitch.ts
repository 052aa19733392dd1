/** fpu_taskswitch: the guest's CR0.TS. Chapter: spec/chapters/misc.md. */
import { updateVcpu } from '../../lens.ts';
import { done, type Perform } from '../result.ts';

export const fpu_taskswitch: Perform = (machine, caller, [set]) =>
  done(updateVcpu(machine, caller, { taskSwitched: set.lo !== 0 }), 'misc/fpu_taskswitch');
