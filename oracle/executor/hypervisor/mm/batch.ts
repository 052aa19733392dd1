/** What mmu_update and mmuext_op share: progress in `*pdone`, and the ways in which they end early and are called again. */
import { ERRNO } from '#spec/abi/errno.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import { continueCall } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

/** Set in the count of a call that is made again. */
export const PREEMPTED = 0x80000000;
/** Answer of an element that is to be begun, or gone on with, by the next call. */
export const RESTART = -ERRNO.ERESTART;

/** Arguments of both calls: elements, count, pdone, domain. */
const COUNT = 2;
const PDONE = 4;
const DOMAIN = 6;

export const isPreempted = (args: Int32Array): boolean => args[COUNT] < 0;

/** A call made again only to drop a table and to give the answer that was kept in the last argument. */
export const isFarewell = (args: Int32Array): boolean => args[COUNT] >>> 0 === PREEMPTED && args[0] === 0 && args[1] === 0;

/** How many elements earlier tries have done, as far as `*pdone` can be read. */
export const readDone = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!isPreempted(args) || isNull(args, PDONE) || !copyFromGuest(machine, vcpu, args[PDONE], args[PDONE + 1], 4)) return 0;
  return scratch.getUint32(0, true);
};

/** Store the number of elements done, byte by byte; a fault is ignored. */
export const writeDone = (machine: Machine, vcpu: Vcpu, args: Int32Array, done: number): void => {
  if (isNull(args, PDONE)) return;
  scratch.setUint32(0, done, true);
  copyToGuest(machine, vcpu, args[PDONE], args[PDONE + 1], 4);
};

const isNull = (args: Int32Array, at: number): boolean => (args[at] | args[at + 1]) === 0;

/** Call again for the elements that are left, the first of them at `lo`, `hi`. */
export const continueBatch = (args: Int32Array, lo: number, hi: number, left: number): number =>
  continueCall(lo, hi, left | PREEMPTED, 0, args[PDONE], args[PDONE + 1], args[DOMAIN], 0);

/** Call again with the same arguments: dropping the table that was left over was interrupted. */
export const continueFromStart = (args: Int32Array): number =>
  continueCall(args[0], args[1], args[COUNT], 0, args[PDONE], args[PDONE + 1], args[DOMAIN], 0);

/** Call again to drop the table that was left over, and answer `result` then. */
export const continueFarewell = (result: number): number => continueCall(0, 0, PREEMPTED | 0, 0, 0, 0, result | 0, 0);
