/** stack_switch: the stack for entries from user mode. Chapter: spec/chapters/misc.md. */
import { updateVcpu } from '../../lens.ts';
import { done, type Perform } from '../result.ts';
import { fixStackSelector } from './selectors.ts';

/** Nothing is checked: a bad stack shows when it is used. */
export const stack_switch: Perform = (machine, caller, [ss, sp]) =>
  done(updateVcpu(machine, caller, { kernelSs: fixStackSelector(ss.lo & 0xffff), kernelSp: sp }), 'misc/stack_switch');
