/** XENMEM_exchange of a 32-bit guest: lists of words, as many extents at a time as Xen's area has room for. */

import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { memory } from '#spec/abi/memory.ts';
import { NotModelled } from '#spec/failure.ts';
import { copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { CALL_STATE, continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import { memory_op } from '../memory/memory_op.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { isBelowXen, scratchCopy } from './structure.ts';
import { pointed, withXlat, XLAT_BYTES, XLAT_HI, type Xlat } from './xlat.ts';

const OP = SUBOPERATIONS.memory_op;
const EXTENT_SHIFT = 6;
const BYTES = 44;
const OUT_AT = 20;
const NR_EXCHANGED = 40;
const { size: SIZE, fields: F } = memory.exchange;
const MOST = 0xffffffff;

type List = { readonly start: number; readonly count: number; readonly order: number; readonly flags: number; readonly domid: number };

const readList = (given: DataView, at: number): List => ({
  start: given.getUint32(at, true),
  count: given.getUint32(at + 4, true),
  order: given.getUint32(at + 8, true),
  flags: given.getUint32(at + 12, true),
  domid: given.getUint16(at + 16, true),
});

const hiOf = (at: number): number => (at > MOST ? 1 : 0);
/** Pages of a list as a word holds them. */
const pagesOf = ({ count, order }: List): number => (count << order) >>> 0;
const fits = ({ count, order }: List): boolean => MOST >>> order >= count;

/** Extents of the other list that belong to `n` of this one. */
const converted = (n: number, delta: number): number => (delta > 0 ? n >>> delta : (n << -delta) >>> 0);

/** Lay out a list's part from `start` to `end` at an offset of the area, which stands for its element `start`. False: it cannot be read. */
const layOutList = (
  machine: Machine,
  vcpu: Vcpu,
  xlat: Xlat,
  which: 'in' | 'out',
  list: List,
  start: number,
  end: number,
  at: number,
): boolean => {
  const base = at - 8 * start;
  xlat.put(F[`${which}_extent_start`].at, 8, base, XLAT_HI + Math.floor(base / 2 ** 32));
  xlat.put(F[`${which}_nr_extents`].at, 8, list.count);
  xlat.put(F[`${which}_extent_order`].at, 4, list.order);
  xlat.put(F[`${which}_mem_flags`].at, 4, list.flags);
  xlat.put(F[`${which}_domid`].at, 2, list.domid);
  for (let i = start; i < end; i++) {
    const from = list.start + 4 * i;
    if (!copyFromGuest(machine, vcpu, from | 0, hiOf(from), 4)) return false;
    xlat.put(at + 8 * (i - start), 8, scratch.getInt32(0, true));
  }
  return true;
};

/** What came, and how far it got, told to the guest. */
const tell = (machine: Machine, vcpu: Vcpu, xlat: Xlat, argument: number, list: List, from: number, to: number, at: number): boolean => {
  let told = true;
  for (let i = from; told && i < to; i++) {
    const address = list.start + 4 * i;
    told = putGuest(machine, vcpu, address | 0, hiOf(address), 4, xlat.word(at + 8 * (i - from)));
  }
  const field = (argument >>> 0) + NR_EXCHANGED;
  return putGuest(machine, vcpu, field | 0, hiOf(field), 4, xlat.word(F.nr_exchanged.at)) && told;
};

type Done = { readonly answer: number; readonly more: boolean; readonly next: number };

/** A part of both lists. `cmd`: with an extent from the second part on, which the operation does not take. */
const exchangeSome = (machine: Machine, vcpu: Vcpu, cmd: number, argument: number, given: DataView): Done => {
  const [goes, comes] = [readList(given, 0), readList(given, OUT_AT)];
  const exchanged = given.getUint32(NR_EXCHANGED, true);
  const failed = (answer: number): Done => ({ answer, more: false, next: 0 });
  const delta = (comes.order - goes.order) | 0;
  const isSane =
    exchanged <= goes.count &&
    (delta <= 0 || (exchanged & ((1 << delta) - 1)) === 0) &&
    fits(goes) &&
    fits(comes) &&
    pagesOf(goes) === pagesOf(comes);
  if (!isSane) return failed(minus('EINVAL'));
  if (!isBelowXen(vcpu, goes.start, 4 * goes.count) || !isBelowXen(vcpu, comes.start, 4 * comes.count)) return failed(minus('EFAULT'));
  const units = Math.floor((XLAT_BYTES - SIZE) / (((((1 << Math.abs(delta)) >>> 0) + 1) >>> 0) * 8));
  if (units === 0) return failed(minus('E2BIG'));
  const end = Math.min((delta > 0 ? units << delta : units) + exchanged, goes.count);
  const [first, last] = [converted(exchanged, delta), converted(end, delta)];
  const outAt = SIZE + 8 * (end - exchanged);
  let next = 0;
  const answer = withXlat(machine, (xlat) => {
    xlat.put(F.nr_exchanged.at, 8, exchanged);
    if (
      !layOutList(machine, vcpu, xlat, 'in', goes, exchanged, end, SIZE) ||
      !layOutList(machine, vcpu, xlat, 'out', comes, first, last, outAt)
    )
      return minus('EFAULT');
    if (end < goes.count) {
      xlat.put(F.in_nr_extents.at, 8, end);
      xlat.put(F.out_nr_extents.at, 8, last);
    }
    const given = memory_op(machine, vcpu, pointed(1, cmd, 0));
    if (given < 0) return given;
    next = converted(xlat.word(F.nr_exchanged.at) >>> 0, delta);
    if (tell(machine, vcpu, xlat, argument, comes, first, next, outAt)) return given;
    // A call that is to be made again cannot fail any more.
    if (CALL_STATE.preempted) throw new NotModelled('compat/memory_op/exchange');
    return minus('EFAULT');
  });
  return { answer, more: answer >= 0 && end < goes.count, next };
};

export const compatExchange: Handler = (machine, vcpu, args) => {
  for (let cmd = args[0]; ; ) {
    if (!copyFromGuest(machine, vcpu, args[2], 0, BYTES)) return minus('EFAULT');
    const { answer, more, next } = exchangeSome(machine, vcpu, cmd, args[2], scratchCopy(BYTES));
    if (CALL_STATE.preempted) return continueCall(OP.exchange, 0, args[2], 0);
    if (!more) return answer;
    cmd = (next << EXTENT_SHIFT) | OP.exchange;
    if (shouldPreempt(machine, vcpu)) return continueCall(cmd >>> 0, 0, args[2], 0);
  }
};
