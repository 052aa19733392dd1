/** XENMEM_acquire_resource of a 32-bit domain: as many frames at a time as the area has room for. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { MEMOP_CMD_MASK, MEMOP_EXTENT_SHIFT, memory } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import type { Machine } from '../../../machine.ts';
import { bytesOf } from '../../../memory/guest.ts';
import { addInt, type Word, word, ZERO } from '../../../word/word.ts';
import { bytesOfNumber, fieldsOf } from '../../guest_struct.ts';
import { acquireResource as wideAcquire } from '../../memory/acquire_resource.ts';
import { callOf } from '../../memory/command.ts';
import { preemptCheck } from '../../preempt.ts';
import { done, fail, type HypercallResult, type Perform } from '../../result.ts';
import { areaAt, laidOut, narrowElement, putAway, roomFor, widen } from '../translation.ts';
import { commandWord, crashing } from './reservation.ts';

const { size: SIZE, fields } = memory.acquire_resource;

export const acquireResource: Perform = (machine, caller, [cmd, arg]) => {
  const op = cmd.lo & MEMOP_CMD_MASK;
  let start = cmd.lo >>> MEMOP_EXTENT_SHIFT;
  let m = machine;
  for (;;) {
    const round = oneRound(m, caller, op, start, arg);
    if (!round.again) return round.result;
    start = round.done;
    const asked = preemptCheck(round.result.machine, caller);
    m = asked.machine;
    if (asked.stop) return { kind: 'preempted', machine: cite(m, 'compat/memory_op-split'), args: [commandWord(op, start), arg] };
  }
};

type Round = { readonly result: HypercallResult; readonly done: number; readonly again: boolean };
const over = (result: HypercallResult): Round => ({ result, done: 0, again: false });

const oneRound = (machine: Machine, caller: VcpuRef, op: number, start: number, arg: Word): Round => {
  const read = copyFromGuest(machine, caller, arg, COMPAT.acquire_resource.size);
  if (!read.ok) return over(fail(read.machine, 'EFAULT', 'memory/argument'));
  const asked = fieldsOf(read.bytes, COMPAT.acquire_resource);
  const structure = widen(read.bytes, COMPAT.acquire_resource, memory.acquire_resource);
  const m = cite(read.machine, 'compat/memory_op-acquire_resource');
  if (asked.frame_list === 0) return over(sizeTold(ask(m, caller, commandWord(op, start), structure), caller, arg));

  structure.set(bytesOf([areaAt(SIZE)]), fields.frame_list.at);
  if (asked.nr_frames === 0) return over(ask(m, caller, commandWord(op, start), structure).result);
  if (start >= asked.nr_frames) return over(fail(m, 'EINVAL', 'memory/acquire_resource-extent'));
  const count = Math.min(asked.nr_frames - start, roomFor(SIZE, 8));
  structure.set(bytesOfNumber(count, 4), fields.nr_frames.at);
  structure.set(bytesOfNumber(BigInt.asUintN(64, BigInt(asked.frame) + BigInt(start)), 8), fields.frame.at);
  const { result, area } = ask(m, caller, word(0, op), structure);
  if (result.kind === 'no_reply' || (result.kind === 'reply' && result.value.hi < 0)) return over(result);
  return told(result, area, { caller, op, start, arg, list: word(0, asked.frame_list), count, wanted: asked.nr_frames });
};

const ask = (machine: Machine, caller: VcpuRef, command: Word, structure: Uint8Array) =>
  putAway(wideAcquire(laidOut(machine, structure), caller, callOf([command, areaAt(0)])));

/** Without a list the size is told, where there is one. */
const sizeTold = ({ result, area }: ReturnType<typeof ask>, caller: VcpuRef, arg: Word): HypercallResult => {
  if (result.kind !== 'reply' || result.value.hi < 0) return result;
  const { at, size } = fields.nr_frames;
  const stored = copyToGuestUnchecked(
    result.machine,
    caller,
    addInt(arg, COMPAT.acquire_resource.fields.nr_frames.at),
    area.slice(at, at + size),
  );
  return stored.ok
    ? { kind: 'reply', machine: stored.machine, value: ZERO }
    : fail(stored.machine, 'EFAULT', 'memory/acquire_resource-asked');
};

type Telling = {
  readonly caller: VcpuRef;
  readonly op: number;
  readonly start: number;
  readonly arg: Word;
  readonly list: Word;
  readonly count: number;
  readonly wanted: number;
};

/** The frames found go to the caller's list in one piece. */
const told = (result: HypercallResult, area: Uint8Array, { caller, op, start, arg, list, count, wanted }: Telling): Round => {
  const stopped = result.kind === 'preempted';
  const found = stopped ? result.args[0]!.lo >>> MEMOP_EXTENT_SHIFT : count;
  const bytes = new Uint8Array(found * 4);
  for (let i = 0; i < found; i++) bytes.set(narrowElement(area, SIZE + 8 * i), i * 4);
  const stored = copyToGuestUnchecked(result.machine, caller, addInt(list, start * 4), bytes);
  if (!stored.ok) {
    const failed = fail(stored.machine, 'EFAULT', 'memory/acquire_resource-done');
    return over(stopped ? crashing(failed.machine) : failed);
  }
  const reached = start + found;
  if (stopped) return over({ kind: 'preempted', machine: stored.machine, args: [commandWord(op, reached), arg] });
  return { result: done(stored.machine, 'memory/acquire_resource-done'), done: reached, again: reached < wanted };
};
