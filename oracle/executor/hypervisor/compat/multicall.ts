/** multicall of a 32-bit guest: entries of eight words, number and result first. */

import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { WORK } from '#spec/work.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import { CALL_STATE, continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { compatEntryArguments, compatNestedCall } from './dispatch.ts';

const SIZE = 32;
const RESULT = 4;
const ARGUMENTS = 8;
const WORDS = 6;
const TWO32 = 0x1_0000_0000;

export const compat_multicall = (machine: Machine, vcpu: Vcpu, list: Int32Array): number => {
  if (CALL_STATE.inMulticall) return minus('EINVAL');
  CALL_STATE.inMulticall = true;
  try {
    return run(machine, vcpu, list[0] >>> 0, list[2] >>> 0);
  } finally {
    CALL_STATE.inMulticall = false;
  }
};

const run = (machine: Machine, vcpu: Vcpu, first: number, count: number): number => {
  for (let done = 0, at = first; done < count; done++, at += SIZE) {
    const [lo, hi] = [at | 0, at >= TWO32 ? 1 : 0];
    if (done > 0 && shouldPreempt(machine, vcpu)) return continueCall(lo, 0, count - done, 0);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, lo, hi, SIZE)) return minus('EFAULT');
    const number = scratch.getUint32(0, true);
    const args = compatEntryArguments();
    for (let i = 0; i < WORDS; i++) {
      args[2 * i] = scratch.getInt32(ARGUMENTS + 4 * i, true);
      args[2 * i + 1] = 0;
    }
    compatNestedCall(machine, vcpu, number);
    const stored = putGuest(machine, vcpu, (lo + RESULT) | 0, hi, 4, CALL_STATE.wideLo);
    if (number === HYPERCALL.iret) return CALL_STATE.wideLo;
    if (!stored) {
      CALL_STATE.preempted = false;
      return minus('EFAULT');
    }
    if (CALL_STATE.preempted) return interrupted(machine, vcpu, lo, hi, number, count - done);
  }
  return 0;
};

/** The entry's own call wants to be made again: its new arguments go into the guest's list, and the list starts with it next time. */
const interrupted = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, number: number, left: number): number => {
  const args = compatEntryArguments();
  scratch.setUint32(0, number, true);
  scratch.setInt32(RESULT, CALL_STATE.wideLo, true);
  for (let i = 0; i < WORDS; i++) scratch.setInt32(ARGUMENTS + 4 * i, args[2 * i], true);
  CALL_STATE.preempted = false;
  if (!copyToGuest(machine, vcpu, lo, hi, SIZE)) return minus('EFAULT');
  return continueCall(lo, 0, left, 0);
};
