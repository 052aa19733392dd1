/** mmuext_op, update_va_mapping, set_gdt, update_descriptor of 32-bit guests. */
import { GUEST_GDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { mmuext_op as layout } from '#spec/abi/xen.ts';
import { gdtPages, setGdt } from '../global_descriptor_table.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import { update_descriptor } from '../hypercall/descriptor_tables.ts';
import type { Machine } from '../machine.ts';
import { mmuext_op } from '../mm/mmuext_op.ts';
import { update_va_mapping, update_va_mapping_otherdomain } from '../mm/update_va_mapping.ts';
import { minus } from '../result.ts';
import { flushLocal } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';
import { narrow, pointed, withXlat, XLAT_BYTES, type Xlat } from './xlat.ts';

const OP = SUBOPERATIONS.mmuext_op;
/** cmd, arg1, arg2: a word each. */
const ELEMENT = 12;
const PREEMPTED = 0x80000000 | 0;
const MOST_AT_ONCE = Math.floor(XLAT_BYTES / layout.size);
const TWO32 = 0x1_0000_0000;

/** Operations whose first argument Xen does not translate. */
const WITHOUT_FIRST: readonly number[] = [OP.tlb_flush_local, OP.tlb_flush_multi, OP.tlb_flush_all, OP.flush_cache, OP.new_user_baseptr];
/** Those that have a second one. */
const WITH_SECOND: readonly number[] = [OP.set_ldt, OP.tlb_flush_multi, OP.invlpg_multi, OP.copy_page];

/** Translate elements from `at` on. Answers how many, and what ends the call behind them. */
const layElements = (
  machine: Machine,
  vcpu: Vcpu,
  xlat: Xlat,
  at: number,
  count: number,
): { readonly done: number; readonly error: number } => {
  for (let done = 0; done < count; done++) {
    const from = at + ELEMENT * done;
    if (!copyFromGuest(machine, vcpu, from | 0, from >= TWO32 ? 1 : 0, ELEMENT)) return { done, error: minus('EFAULT') };
    const [cmd, first, second] = [0, 4, 8].map((offset) => scratch.getInt32(offset, true)) as [number, number, number];
    if (cmd === OP.new_user_baseptr) return { done, error: minus('EINVAL') };
    const to = layout.size * done;
    xlat.put(to, 4, cmd);
    if (!WITHOUT_FIRST.includes(cmd)) xlat.put(to + 8, 8, first);
    if (WITH_SECOND.includes(cmd)) xlat.put(to + 16, 8, second);
  }
  return { done: count, error: 0 };
};

export const compat_mmuext_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  let at = args[0] >>> 0;
  let left = args[2] & ~PREEMPTED;
  let preempted = args[2] & PREEMPTED;
  const [pdone, foreign] = [args[4], args[6]];
  if (args[2] === PREEMPTED && at === 0) return mmuext_op(machine, vcpu, args);
  while (left > 0) {
    const outcome = withXlat(machine, (xlat) => {
      const { done, error } = layElements(machine, vcpu, xlat, at, Math.min(left, MOST_AT_ONCE));
      const answer = mmuext_op(machine, vcpu, pointed(0, 0, done | preempted, pdone, foreign));
      if (CALL_STATE.preempted) goOn(at, left, done);
      at += ELEMENT * done;
      left -= done;
      return answer !== 0 ? answer : error;
    });
    if (outcome !== 0 || CALL_STATE.preempted) return outcome;
    preempted = PREEMPTED;
  }
  return 0;
};

/** The continuation is told in the guest's terms; one that only says good-bye has no list. */
const goOn = (at: number, left: number, done: number): void => {
  const next = CALL_STATE.continuation;
  next[1] = 0;
  if (next[2] === PREEMPTED) return;
  const remaining = next[2] & ~PREEMPTED;
  next[0] = (at + ELEMENT * (done - remaining)) | 0;
  next[2] = (remaining + left - done) | PREEMPTED;
};

/** Address, entry by halves, flags. */
export const compat_update_va_mapping = (machine: Machine, vcpu: Vcpu, args: Int32Array): number =>
  update_va_mapping(machine, vcpu, withEntry(args, args[6]));

/** The same, and whose the page is. */
export const compat_update_va_mapping_otherdomain = (machine: Machine, vcpu: Vcpu, args: Int32Array): number =>
  update_va_mapping_otherdomain(machine, vcpu, withEntry(args, args[6], args[8]));

const withEntry = (args: Int32Array, flags: number, domid = 0): Int32Array => {
  const native = narrow(args[0], args[2], flags, domid);
  native[3] = args[4];
  return native;
};

/** Address and descriptor, each by halves. */
export const compat_update_descriptor = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const native = narrow(args[0], args[4]);
  native[1] = args[2];
  native[3] = args[6];
  return update_descriptor(machine, vcpu, native);
};

/** Frame numbers of four bytes. */
export const compat_set_gdt = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const entries = args[2] >>> 0;
  if (entries > GUEST_GDT_ENTRIES) return minus('EINVAL');
  const pages = gdtPages(entries);
  if (!copyFromGuest(machine, vcpu, args[0], 0, 4 * pages)) return minus('EFAULT');
  const frames = Array.from({ length: pages }, (_, i) => scratch.getUint32(4 * i, true));
  const answer = setGdt(machine, vcpu, vcpu, frames, entries);
  if (answer === 0) flushLocal(machine, vcpu);
  return answer;
};
