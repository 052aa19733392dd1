/** memory_op's command: the operation in its low six bits, above them the extent with which an interrupted call goes on. */

import type { Layout } from '#spec/abi/layout.ts';
import { MEMOP_CMD_MASK, MEMOP_EXTENT_SHIFT } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuestUnchecked, storeToGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { addInt, fromNumber, isZero, or, shl, shr, toBigInt, type Word } from '../../word/word.ts';
import { fail, type HypercallResult } from '../result.ts';

/** One call. `extent` has up to 58 bits. */
export type MemoryCall = { readonly op: number; readonly extent: Word; readonly cmd: Word; readonly arg: Word };

export const callOf = ([cmd, arg]: readonly Word[]): MemoryCall => ({
  op: cmd.lo & MEMOP_CMD_MASK,
  extent: shr(cmd, MEMOP_EXTENT_SHIFT),
  cmd,
  arg,
});

/** The rule of one operation. */
export type MemoryRule = (machine: Machine, caller: VcpuRef, call: MemoryCall) => HypercallResult;

/** The same call again from extent `done` on. */
export const continued = (machine: Machine, { op, arg }: MemoryCall, done: number): HypercallResult => ({
  kind: 'preempted',
  machine,
  args: [or(shl(fromNumber(done), MEMOP_EXTENT_SHIFT), fromNumber(op)), arg],
});

/** An operation that is never continued: an extent is refused before the argument is read (`memory/extent-refused`). */
export const whole =
  (rule: MemoryRule): MemoryRule =>
  (machine, caller, call) =>
    isZero(call.extent) ? rule(machine, caller, call) : fail(machine, 'EINVAL', 'memory/extent-refused');

/** The same for operations whose whole command Xen compares. */
export const exact =
  (rule: MemoryRule): MemoryRule =>
  (machine, caller, call) =>
    isZero(call.extent) ? rule(machine, caller, call) : fail(machine, 'ENOSYS', 'memory/extent-refused');

/** The argument's bytes with a way to read its fields; null when it cannot be read. */
export type Argument<L extends Layout> = {
  readonly bytes: Uint8Array;
  readonly number: (field: keyof L['fields']) => number;
  readonly word: (field: keyof L['fields']) => Word;
  readonly big: (field: keyof L['fields']) => bigint;
};

export const readArgument = <L extends Layout>(
  machine: Machine,
  caller: VcpuRef,
  arg: Word,
  layout: L,
): { readonly machine: Machine; readonly argument: Argument<L> | null } => {
  const read = copyFromGuest(machine, caller, arg, layout.size);
  return { machine: read.machine, argument: read.ok ? argumentIn(read.bytes, layout) : null };
};

const argumentIn = <L extends Layout>(bytes: Uint8Array, { fields }: L): Argument<L> => {
  const fieldOf = (name: keyof L['fields']) => fields[name as string];
  const number = (name: keyof L['fields']): number => {
    const { at, size } = fieldOf(name);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
    return value;
  };
  const word = (name: keyof L['fields']): Word => wordIn(bytes, fieldOf(name).at);
  return { bytes, number, word, big: (name) => toBigInt(word(name)) };
};

/** Write bytes at an offset of the argument, as far from its beginning as its check reached. */
export const writeBack = (machine: Machine, caller: VcpuRef, arg: Word, at: number, bytes: Uint8Array) =>
  (bytes.length > 8 ? copyToGuestUnchecked : storeToGuest)(machine, caller, addInt(arg, at), bytes);
