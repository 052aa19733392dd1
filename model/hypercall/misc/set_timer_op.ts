/** set_timer_op: the one-shot timer by its old door. Chapter: spec/chapters/time.md. */
import { setSingleshot } from '../../time/timers.ts';
import { isZero, toNumber } from '../../word/word.ts';
import { done, type Perform } from '../result.ts';

/** Offsets of 2⁵⁰ ns and more (13 days), and negative times, are taken for a mistake of the guest's. */
const HUGE_OFFSET = 2 ** 50;
const HUGE_ANSWER_NS = 100_000_000;

export const set_timer_op: Perform = (machine, caller, [timeout]) => {
  if (isZero(timeout)) return done(setSingleshot(machine, caller, null), 'time/set_timer_op-stopped');
  const offset = toNumber(timeout) - machine.now;
  // Xen looks at 32 bits of the offset above the fiftieth, which is all there are.
  if (timeout.hi < 0 || offset >= HUGE_OFFSET)
    return done(setSingleshot(machine, caller, machine.now + HUGE_ANSWER_NS), 'time/set_timer_op-huge');
  return done(setSingleshot(machine, caller, toNumber(timeout)), 'time/set_timer_op-set');
};
