/** Preemption of hypercalls, as Xen does it: a call that ought to let an upcall in first asks the guest to call again. */
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { wantsUpcall } from '../vcpu_info.ts';

/** State of the hypercall at work; there is one at a time in the machine. */
export const CALL_STATE = {
  inMulticall: false,
  preempted: false,
  /** Arguments for the next try, as halves. */
  continuation: new Int32Array(12),
  continuationCount: 0,
  /** A 64-bit answer, as halves. */
  wideLo: 0,
  wideHi: 0,
  /** The caller has asked Xen to run somebody else (yield, block, poll). */
  gaveUp: false,
};

/**
 * Whether a long call should stop here: a timer is due, an upcall could be delivered, the vCPU gave up its pCPU, or the input says so. Each
 * call of this function is one question of the input's count, so that it is to be made only where Xen asks.
 */
export const shouldPreempt = (machine: Machine, vcpu: Vcpu): boolean => {
  const question = ++machine.questions;
  machine.work.ask();
  if (machine.preempt?.includes(question)) return true;
  if (CALL_STATE.gaveUp || machine.timerDue || vcpu.pauseFlags !== 0 || vcpu.domain.shutdown !== null) return true;
  return wantsUpcall(machine, vcpu);
};

/**
 * Whether further questions get the answer that the last one got, no, as long as nothing happens: they need only be counted. Not when the input says of
 * single questions how they are answered.
 */
export const answersAlike = (machine: Machine): boolean => machine.preempt === null;

/**
 * Have the call made again with these arguments (each a low and a high half); those not given stay as they are. The handler returns
 * whatever this returns.
 */
export const continueCall = (...halves: readonly number[]): number => {
  CALL_STATE.preempted = true;
  for (let i = 0; i < halves.length; i++) CALL_STATE.continuation[i] = halves[i];
  CALL_STATE.continuationCount = halves.length >>> 1;
  return 0;
};
