/** XENMEM_exchange of a 32-bit domain: as many extents at a time as both lists find room for. Chapter: spec/chapters/compat.md. */
import { COMPAT, TRANSLATION_AREA } from '#spec/abi/compat.ts';
import { MEMOP_CMD_MASK, memory } from '#spec/abi/memory.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../../guest_copy.ts';
import { cite } from '../../../journal.ts';
import type { Machine } from '../../../machine.ts';
import { bytesOf } from '../../../memory/guest.ts';
import { addInt, type Word, word } from '../../../word/word.ts';
import { bytesOfNumber, type Fields, fieldOf, fieldsOf } from '../../guest_struct.ts';
import { callOf, whole } from '../../memory/command.ts';
import { exchange as wideExchange } from '../../memory/exchange.ts';
import { preemptCheck } from '../../preempt.ts';
import { fail, type HypercallResult, type Perform } from '../../result.ts';
import { areaAt, elementOf, laidOut, listOk, narrowElement, putAway, storeElement, wideList, widen } from '../translation.ts';
import { commandWord, crashing } from './reservation.ts';

type Asked = Fields<typeof COMPAT.exchange>;
const { fields } = memory.exchange;
const SIZE = memory.exchange.size;
/** Shifts of 32-bit numbers, by the low five bits of the count as the processor does it. */
const power = (order: number): number => (1 << order) >>> 0;

export const exchange: Perform = (machine, caller, [cmd, arg]) => {
  let command = cmd;
  let m = machine;
  for (;;) {
    const round = oneRound(m, caller, command, arg);
    if (!round.again) return round.result;
    command = commandWord(cmd.lo & MEMOP_CMD_MASK, round.done);
    const asked = preemptCheck(round.result.machine, caller);
    m = asked.machine;
    if (asked.stop) return { kind: 'preempted', machine: cite(m, 'compat/memory_op-split'), args: [command, arg] };
  }
};

type Round = { readonly result: HypercallResult; readonly done: number; readonly again: boolean };
const over = (result: HypercallResult): Round => ({ result, done: 0, again: false });

const oneRound = (machine: Machine, caller: VcpuRef, command: Word, arg: Word): Round => {
  const read = copyFromGuest(machine, caller, arg, COMPAT.exchange.size);
  if (!read.ok) return over(fail(read.machine, 'EFAULT', 'memory/argument'));
  const asked = fieldsOf(read.bytes, COMPAT.exchange);
  if (!sound(asked)) return over(fail(read.machine, 'EINVAL', 'compat/memory_op-exchange'));
  const [ins, outs] = [word(0, asked.in_extent_start), word(0, asked.out_extent_start)];
  if (!listOk(read.machine, caller, ins, asked.in_nr_extents, 4) || !listOk(read.machine, caller, outs, asked.out_nr_extents, 4))
    return over(fail(read.machine, 'EFAULT', 'compat/array'));

  const delta = asked.out_extent_order - asked.in_extent_order;
  const room = Math.floor((TRANSLATION_AREA.size - SIZE) / (((power(Math.abs(delta)) + 1) >>> 0) * 8));
  if (room === 0) return over(fail(read.machine, 'E2BIG', 'compat/memory_op-exchange_large'));
  const first = asked.nr_exchanged;
  const end = Math.min(first + (delta > 0 ? room * 2 ** delta : room), asked.in_nr_extents);

  const listed = listBoth(cite(read.machine, 'compat/memory_op-exchange'), caller, { ins, outs, delta, first, end });
  if (!listed.pages) return over(fail(listed.machine, 'EFAULT', 'memory/exchange-read'));
  const structure = widen(read.bytes, COMPAT.exchange, memory.exchange);
  const [inPages, outPages] = listed.pages;
  const outAt = SIZE + 8 * inPages.length;
  const set = (field: keyof typeof fields, bytes: Uint8Array) => structure.set(bytes, fields[field].at);
  set('in_extent_start', bytesOf([areaAt(SIZE - 8 * first)]));
  set('out_extent_start', bytesOf([areaAt(outAt - 8 * scaled(first, -delta))]));
  const split = end < asked.in_nr_extents;
  if (split) {
    set('in_nr_extents', bytesOfNumber(end, 8));
    set('out_nr_extents', bytesOfNumber(scaled(end, -delta), 8));
  }
  const laid = laidOut(listed.machine, structure, wideList(inPages), wideList(outPages));
  const { result, area } = putAway(whole(wideExchange)(laid, caller, callOf([command, areaAt(0)])));
  return told(result, area, { caller, arg, outs, delta, first, outAt, split });
};

/** Numbers of 32 bits that fit together. */
const sound = (asked: Asked): boolean => {
  const { in_extent_order: i, out_extent_order: o, in_nr_extents: ins, out_nr_extents: outs, nr_exchanged } = asked;
  const delta = o - i;
  return (
    nr_exchanged <= ins &&
    !(delta > 0 && (nr_exchanged & (power(delta) - 1)) !== 0) &&
    0xffffffff >>> i >= ins &&
    0xffffffff >>> o >= outs &&
    (ins << i) >>> 0 === (outs << o) >>> 0
  );
};

/** Times 2^order, or by it. */
const scaled = (count: number, order: number): number => (order >= 0 ? (count << order) >>> 0 : count >>> -order);

type Lists = { readonly ins: Word; readonly outs: Word; readonly delta: number; readonly first: number; readonly end: number };
type Listed = { readonly machine: Machine; readonly pages: readonly [readonly number[], readonly number[]] | null };

const listBoth = (machine: Machine, caller: VcpuRef, { ins, outs, delta, first, end }: Lists): Listed => {
  let m = machine;
  const pages: [number[], number[]] = [[], []];
  for (const [which, list, from, to] of [
    [0, ins, first, end],
    [1, outs, scaled(first, -delta), scaled(end, -delta)],
  ] as const)
    for (let i = from; i < to; i++) {
      const page = elementOf(m, caller, list, i);
      m = page.machine;
      if (page.value === null) return { machine: m, pages: null };
      pages[which].push(page.value);
    }
  return { machine: m, pages };
};

type Telling = {
  readonly caller: VcpuRef;
  readonly arg: Word;
  readonly outs: Word;
  readonly delta: number;
  readonly first: number;
  readonly outAt: number;
  readonly split: boolean;
};

/** The new frames, then how many extents are exchanged; nothing of that when the rule refuses. */
const told = (result: HypercallResult, area: Uint8Array, telling: Telling): Round => {
  if (result.kind === 'no_reply' || (result.kind === 'reply' && result.value.hi < 0)) return over(result);
  const { caller, arg, outs, delta, outAt, split } = telling;
  const exchanged = fieldOf(area, fields.nr_exchanged);
  const [first, end] = [scaled(telling.first, -delta), scaled(exchanged, -delta)];
  let m = result.machine;
  let fault: ClauseId | null = null;
  let i = first;
  for (; i < end && !fault; i++) {
    const stored = storeElement(m, caller, outs, i, narrowElement(area, outAt + 8 * (i - first)));
    m = stored.machine;
    if (!stored.ok) fault = 'memory/exchange-told';
  }
  const counted = copyToGuestUnchecked(m, caller, addInt(arg, COMPAT.exchange.fields.nr_exchanged.at), bytesOfNumber(exchanged, 4));
  m = cite(counted.machine, 'memory/exchange-counted');
  if (!counted.ok) fault = 'memory/exchange-counted';
  if (fault) {
    const failed = fail(m, 'EFAULT', fault);
    return over(result.kind === 'preempted' ? crashing(failed.machine) : failed);
  }
  if (result.kind === 'preempted') return over({ kind: 'preempted', machine: m, args: [result.args[0]!, arg] });
  return { result: { ...result, machine: m }, done: end, again: split };
};
