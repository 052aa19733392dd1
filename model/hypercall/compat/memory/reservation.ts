/** increase_reservation, decrease_reservation and populate_physmap of a 32-bit domain: as many extents at a time as the area has room for. */
import { COMPAT } from '#spec/abi/compat.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MEMOP_CMD_MASK, MEMOP_EXTENT_SHIFT, MEMOP_MOST_EXTENTS, memory } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import type { Machine } from '../../../machine.ts';
import { bytesOf } from '../../../memory/guest.ts';
import { isZero, toNumber, type Word, word, ZERO } from '../../../word/word.ts';
import { type Fields, fieldsOf, withFields } from '../../guest_struct.ts';
import { callOf, type MemoryRule } from '../../memory/command.ts';
import { decreaseReservation, increaseReservation, populatePhysmap } from '../../memory/reservation.ts';
import { preemptCheck } from '../../preempt.ts';
import { done, type HypercallResult, type Perform } from '../../result.ts';
import { areaAt, elementOf, laidOut, listOk, narrowElement, putAway, roomFor, storeElement, wideList, widen } from '../translation.ts';

const { increase_reservation: INCREASE, decrease_reservation: DECREASE, populate_physmap: POPULATE } = SUBOPERATIONS.memory_op;
const RULES: ReadonlyMap<number, MemoryRule> = new Map([
  [INCREASE, increaseReservation],
  [DECREASE, decreaseReservation],
  [POPULATE, populatePhysmap],
]);
const { size: SIZE } = memory.reservation;

export const commandWord = (op: number, extent: number): Word => word(0, op | (extent << MEMOP_EXTENT_SHIFT));

/** A call that has been stopped cannot fail any more: the domain crashes. */
export const crashing = (machine: Machine): HypercallResult => ({
  ...{ kind: 'reply', machine: cite(machine, 'compat/memory_op-split'), value: ZERO },
  ending: { kind: 'crash', why: 'other' },
});

export const reservation: Perform = (machine, caller, [cmd, arg]) => {
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

type Asked = Fields<typeof COMPAT.reservation>;
/** What a round comes to; `again`: there are extents that the area had no room for. */
type Round = { readonly result: HypercallResult; readonly done: number; readonly again: boolean };

const over = (result: HypercallResult): Round => ({ result, done: 0, again: false });

const oneRound = (machine: Machine, caller: VcpuRef, op: number, start: number, arg: Word): Round => {
  const read = copyFromGuest(machine, caller, arg, COMPAT.reservation.size);
  if (!read.ok) return over(done(read.machine, 'memory/reservation-argument', start));
  const asked = fieldsOf(read.bytes, COMPAT.reservation);
  const list = word(0, asked.extent_start);
  if (asked.nr_extents > MEMOP_MOST_EXTENTS) return over(done(read.machine, 'memory/reservation-argument', start));
  if (!isZero(list) && !listOk(read.machine, caller, list, asked.nr_extents, 4)) return over(done(read.machine, 'compat/array', start));

  const chunk = chunkOf(read.machine, caller, op, start, asked);
  const structure = withFields(widen(read.bytes, COMPAT.reservation, memory.reservation), memory.reservation, {
    nr_extents: chunk.count,
    extent_start: 0,
  });
  if (!isZero(list)) structure.set(bytesOf([areaAt(SIZE - 8 * start)]), memory.reservation.fields.extent_start.at);
  const laid = laidOut(cite(chunk.machine, 'compat/memory_op-reservation'), structure, wideList(chunk.pages));
  const { result, area } = putAway(RULES.get(op)!(laid, caller, callOf([commandWord(op, start), areaAt(0)])));
  return told(result, area, { caller, op, start, arg, list, wanted: asked.nr_extents, chunk });
};

/** Pages of the extents that are translated, up to the first that cannot be read; `count`: where the chunk ends. */
type Chunk = { readonly machine: Machine; readonly pages: readonly number[]; readonly count: number; readonly unread: boolean };

const chunkOf = (machine: Machine, caller: VcpuRef, op: number, start: number, asked: Asked): Chunk => {
  if (asked.extent_start === 0) return { machine, pages: [], count: asked.nr_extents, unread: false };
  const end = Math.min(start + roomFor(SIZE, 8), asked.nr_extents);
  if (op === INCREASE) return { machine, pages: [], count: end, unread: false };
  const pages: number[] = [];
  let m = machine;
  for (let i = start; i < end; i++) {
    const page = elementOf(m, caller, word(0, asked.extent_start), i);
    m = page.machine;
    if (page.value === null) return { machine: m, pages, count: i, unread: true };
    pages.push(page.value);
  }
  return { machine: m, pages, count: end, unread: false };
};

type Telling = {
  readonly caller: VcpuRef;
  readonly op: number;
  readonly start: number;
  readonly arg: Word;
  readonly list: Word;
  readonly wanted: number;
  readonly chunk: Chunk;
};

/** Frames go to the caller's list as far as it can be written. */
const told = (result: HypercallResult, area: Uint8Array, { caller, op, start, arg, list, wanted, chunk }: Telling): Round => {
  const stopped = result.kind === 'preempted';
  const reached = stopped ? result.args[0]!.lo >>> MEMOP_EXTENT_SHIFT : result.kind === 'reply' ? toNumber(result.value) : start;
  const again = !stopped && !chunk.unread && chunk.count < wanted && reached === chunk.count;
  let m = result.machine;
  if (op !== DECREASE && !isZero(list))
    for (let i = start; i < reached; i++) {
      const stored = storeElement(m, caller, list, i, narrowElement(area, SIZE + 8 * (i - start)));
      m = stored.machine;
      if (stored.ok) continue;
      if (stopped) break;
      return over(done(m, 'compat/memory_op-reservation', i));
    }
  if (stopped) return over({ kind: 'preempted', machine: m, args: [result.args[0]!, arg] });
  return { result: { ...result, machine: m }, done: reached, again };
};
