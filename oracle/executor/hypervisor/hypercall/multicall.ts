/** multicall: a list of hypercalls in one. Each entry's result is stored as it is done; the list can be interrupted between entries. */

import { multicall_entry } from '#spec/abi/xen.ts';
import { WORK } from '#spec/work.ts';
import { accessOk, copyFromGuest, copyToGuest, putGuest, scratch, scratchWords } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { CALL_STATE, continueCall, shouldPreempt } from './continuation.ts';
import { entryArguments, IRET, nestedCall } from './dispatch.ts';

const { op, result, args } = multicall_entry.fields;
const SIZE = multicall_entry.size;
/** Places in the scratch buffer, in words. */
const [OP, ARGS] = [op.at >> 2, args.at >> 2];

export const multicall = (machine: Machine, vcpu: Vcpu, list: Int32Array): number => {
  if (CALL_STATE.inMulticall) return minus('EINVAL');
  CALL_STATE.inMulticall = true;
  try {
    return run(machine, vcpu, list[0], list[1], countOf(machine, list[2], list[3]));
  } finally {
    // Also behind an entry that is not modelled: the state is one for all machines.
    CALL_STATE.inMulticall = false;
  }
};

/** How many entries there are; more than doubles can count are as good as any such number. */
const countOf = (machine: Machine, lo: number, hi: number): number =>
  machine.ways['multicall-count'] === '64 bits' ? (hi >>> 0) * 2 ** 32 + (lo >>> 0) : lo >>> 0;

/** A longer list does not fit any address space. */
const MOST_ENTRIES = 2 ** 58 - 1;

const run = (machine: Machine, vcpu: Vcpu, firstLo: number, firstHi: number, count: number): number => {
  if (count >= MOST_ENTRIES || !accessOk(firstHi)) return minus('EFAULT');
  let lo = firstLo;
  let hi = firstHi;
  for (let done = 0; done < count; done++) {
    if (done > 0 && shouldPreempt(machine, vcpu)) return continueCall(lo, hi, (count - done) | 0, 0);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, lo, hi, SIZE)) return minus('EFAULT');
    const number = scratchWords[OP];
    const numberHi = scratchWords[OP + 1];
    readArguments();
    nestedCall(machine, vcpu, number, numberHi);
    const stored = putAt(machine, vcpu, lo, hi);
    if (number === IRET && numberHi === 0) return CALL_STATE.wideLo | 0;
    if (!stored) {
      CALL_STATE.preempted = false;
      return minus('EFAULT');
    }
    if (CALL_STATE.preempted) {
      scratch.setInt32(op.at, number, true);
      scratch.setInt32(op.at + 4, numberHi, true);
      return interrupted(machine, vcpu, lo, hi, count - done);
    }
    const next = (lo >>> 0) + SIZE;
    if (next > 0xffffffff) hi = (hi + 1) | 0;
    lo = next | 0;
  }
  return 0;
};

/** Hand the entry's arguments over: the call uses the scratch buffer itself. */
const readArguments = (): void => {
  const into = entryArguments();
  for (let i = 0; i < 12; i++) into[i] = scratchWords[ARGS + i];
};

const putAt = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  const at = (lo >>> 0) + result.at;
  return putGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, 8, CALL_STATE.wideLo, CALL_STATE.wideHi);
};

/**
 * The entry's own call wants to be made again: its new arguments go into the guest's list, and the list starts with it next time. Its number stands in the
 * scratch buffer.
 */
const interrupted = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, left: number): number => {
  const from = entryArguments();
  scratch.setInt32(result.at, CALL_STATE.wideLo, true);
  scratch.setInt32(result.at + 4, CALL_STATE.wideHi, true);
  for (let i = 0; i < 12; i++) scratch.setInt32(args.at + 4 * i, from[i], true);
  CALL_STATE.preempted = false;
  if (!copyToGuest(machine, vcpu, lo, hi, SIZE)) return minus('EFAULT');
  return continueCall(lo, hi, left | 0, 0);
};
