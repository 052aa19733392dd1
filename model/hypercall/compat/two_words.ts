/** Calls whose 64-bit arguments come in two registers, lower half first, and the stack of ring 1. Chapter: spec/chapters/compat.md. */
import { cite } from '../../journal.ts';
import { updateVcpu } from '../../lens.ts';
import { type Word, word } from '../../word/word.ts';
import { set_timer_op as wideSetTimerOp } from '../misc/set_timer_op.ts';
import { update_va_mapping as wideUpdate, update_va_mapping_otherdomain as wideUpdateOther } from '../mm/update_va_mapping.ts';
import { done, type Perform } from '../result.ts';

/** compat/segments-rpl */
export const atLeastRing1 = (selector: number): number => ((selector & 3) === 0 ? selector | 1 : selector);

const whole = (low: Word, high: Word): Word => word(high.lo, low.lo);

export const update_va_mapping: Perform = (machine, caller, [va, low, high, flags]) =>
  wideUpdate(cite(machine, 'compat/update_va_mapping'), caller, [va, whole(low, high), flags]);

export const update_va_mapping_otherdomain: Perform = (machine, caller, [va, low, high, flags, domid]) =>
  wideUpdateOther(cite(machine, 'compat/update_va_mapping'), caller, [va, whole(low, high), flags, domid]);

export const set_timer_op: Perform = (machine, caller, [low, high]) =>
  wideSetTimerOp(cite(machine, 'compat/set_timer_op'), caller, [whole(low, high)]);

export const stack_switch: Perform = (machine, caller, [ss, sp]) =>
  done(
    updateVcpu(cite(machine, 'compat/segments-rpl'), caller, { kernelSs: atLeastRing1(ss.lo & 0xffff), kernelSp: sp }),
    'compat/stack_switch',
  );
