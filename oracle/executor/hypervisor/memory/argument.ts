/** Reading memory_op's command and lists. */
import { MEMOP_EXTENT_SHIFT } from '#spec/abi/memory.ts';
import { copyFromGuest, copyToGuest, putGuest } from '../guest_access.ts';
import { CALL_STATE, continueCall } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { WIDE } from '../result.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';

const HIGH_SHIFT = 32 - MEMOP_EXTENT_SHIFT;

/** The extent of a command with which an interrupted call goes on: its lower and its upper half. */
export const extentLo = (args: Int32Array): number => (args[0] >>> MEMOP_EXTENT_SHIFT) | (args[1] << HIGH_SHIFT);
export const extentHi = (args: Int32Array): number => args[1] >>> MEMOP_EXTENT_SHIFT;

export const hasExtent = (args: Int32Array): boolean => (extentLo(args) | extentHi(args)) !== 0;

/** Answer the extent with which the call came. */
export const answerExtent = (args: Int32Array): number => {
  CALL_STATE.wideLo = extentLo(args);
  CALL_STATE.wideHi = extentHi(args);
  return WIDE;
};

/** Make the call again, to go on at an extent below 2^26. */
export const continueAt = (op: number, extent: number, args: Int32Array): number =>
  continueCall(op | (extent << MEMOP_EXTENT_SHIFT), 0, args[2], args[3]);

/** Copy the call's argument to the scratch buffer; and back, when it was changed there. */
export const readArgument = (machine: Machine, vcpu: Vcpu, args: Int32Array, size: number): boolean =>
  copyFromGuest(machine, vcpu, args[2], args[3], size);
export const writeArgument = (machine: Machine, vcpu: Vcpu, args: Int32Array, size: number): boolean =>
  copyToGuest(machine, vcpu, args[2], args[3], size);

/** Store a field of the argument, `at` bytes into it, in one move. */
export const writeField = (
  machine: Machine,
  vcpu: Vcpu,
  args: Int32Array,
  at: number,
  size: 4 | 8,
  valueLo: number,
  valueHi = 0,
): boolean => putGuest(machine, vcpu, offsetLo(args[2], at), offsetHi(args[2], args[3], at), size, valueLo, valueHi);

/** Halves of an address so many bytes (below 2^52) beyond `hi:lo`, round the end of the address space. */
export const offsetLo = (lo: number, bytes: number): number => ((lo >>> 0) + (bytes % TWO32)) | 0;
export const offsetHi = (lo: number, hi: number, bytes: number): number =>
  (hi + Math.floor(((lo >>> 0) + (bytes % TWO32)) / TWO32) + Math.floor(bytes / TWO32)) | 0;
