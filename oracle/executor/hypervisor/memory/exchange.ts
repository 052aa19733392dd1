/** XENMEM_exchange: frames of a domain go, as many others come. */

import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { memory } from '#spec/abi/memory.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { setM2p } from '../domain_builder/m2p.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { PGF } from '../frame_table.ts';
import { accessOk, copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { assignFrames, disown, giveFramesBack, heapOf, markFree, takeFrames, type Wish } from './allocate.ts';
import { readArgument, writeField } from './argument.ts';
import { maxOrder, nameFrames } from './reservation.ts';
import { ANYWHERE, addressBits, exactNode, limitOfBits } from './wish.ts';

const { size: SIZE, fields: F } = memory.exchange;
const PAGE = 4096;
const MOST = 2n ** 64n;
/** No list may have as many elements of 8 bytes as there are addresses. */
const MOST_ELEMENTS = (MOST - 1n) / 8n;

/** One of the two lists. */
type List = { readonly start: bigint; readonly count: bigint; readonly order: number; readonly flags: number; readonly domid: number };
type Exchange = { readonly domain: Domain; readonly goes: List; readonly comes: List; readonly wish: Wish };

const word = (at: number): bigint => scratch.getBigUint64(at, true);
const half = (value: bigint): number => Number(BigInt.asIntN(32, value));
const addressOf = ({ start }: List, index: bigint): bigint => BigInt.asUintN(64, start + 8n * index);

const readList = (list: 'in' | 'out'): List => ({
  start: word(F[`${list}_extent_start`].at),
  count: word(F[`${list}_nr_extents`].at),
  order: scratch.getUint32(F[`${list}_extent_order`].at, true),
  flags: scratch.getUint32(F[`${list}_mem_flags`].at, true),
  domid: scratch.getUint16(F[`${list}_domid`].at, true),
});

/** The address of the first element that is left must be the guest's, and the rest no longer than can be. */
const isForGuests = (list: List, done: bigint): boolean =>
  BigInt.asUintN(64, list.count - done) < MOST_ELEMENTS && accessOk(half(addressOf(list, done) >> 32n));

export const exchange = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!readArgument(machine, vcpu, args, SIZE)) return -ERRNO.EFAULT;
  const goes = readList('in');
  const comes = readList('out');
  const done = word(F.nr_exchanged.at);
  const told = (answer: number, exchanged: bigint): number =>
    writeField(machine, vcpu, args, F.nr_exchanged.at, 8, half(exchanged), half(exchanged >> 32n)) ? answer : -ERRNO.EFAULT;

  if (Math.max(goes.order, comes.order) > maxOrder(vcpu)) return told(-ERRNO.EPERM, done);
  const goesShift = BigInt(Math.max(0, comes.order - goes.order));
  const comesShift = BigInt(Math.max(0, goes.order - comes.order));
  if (done > goes.count || goes.domid !== comes.domid || pagesOf(goes) >= MOST || pagesOf(goes) !== pagesOf(comes))
    return told(-ERRNO.EINVAL, done);
  if (done === goes.count) return 0;
  if (!isForGuests(goes, done) || !isForGuests(comes, (done >> goesShift) << comesShift)) return told(-ERRNO.EFAULT, done);
  const node = exactNode(vcpu.domain.privileged, comes.flags);
  if (node === null) return told(-ERRNO.EINVAL, done);
  const domain = domainByAnyId(machine, vcpu.domain, goes.domid);
  if (!domain) return told(-ERRNO.ESRCH, done);
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return told(-ERRNO.EPERM, done);

  const bits = addressBits(comes.flags);
  const wish: Wish = { limit: bits === 0 ? ANYWHERE.limit : limitOfBits(bits), exactNode: node };
  const first = done >> goesShift;
  for (let chunk = first; chunk < goes.count >> goesShift; chunk++) {
    if (chunk !== first && shouldPreempt(machine, vcpu)) {
      if (told(0, chunk << goesShift) !== 0) return -ERRNO.EFAULT;
      return continueCall(SUBOPERATIONS.memory_op.exchange, 0, args[2], args[3]);
    }
    machine.work.spend(WORK.entry);
    machine.work.spend(WORK.page, 2 * 2 ** Math.max(goes.order, comes.order));
    const answer = exchangeChunk(
      machine,
      vcpu,
      { domain, goes, comes, wish },
      chunk << goesShift,
      1n << goesShift,
      chunk << comesShift,
      1n << comesShift,
    );
    if (answer !== 0) return told(answer, chunk << goesShift);
  }
  return told(0, goes.count);
};

const pagesOf = ({ count, order }: List): bigint => count << BigInt(order);

/** The elements from `from` on go and those from `to` on come. On an error all is as before, unless only telling the guest failed. */
const exchangeChunk = (
  machine: Machine,
  vcpu: Vcpu,
  exchanged: Exchange,
  from: bigint,
  goesCount: bigint,
  to: bigint,
  comesCount: bigint,
): number => {
  const { domain, goes, comes, wish } = exchanged;
  const stolen: number[] = [];
  const taken: number[] = [];
  const undo = (answer: number): number => {
    for (const mfn of stolen) assignFrames(machine, domain, mfn, 1);
    for (const mfn of taken) {
      // Nobody's frames that go back are erased, although nobody has had them.
      machine.memory.fill(mfn * PAGE, PAGE * 2 ** comes.order, 0);
      giveFramesBack(machine, mfn, comes.order);
    }
    return answer;
  };
  heapOf(machine);
  for (let i = from; i < from + goesCount; i++) {
    const answer = stealExtent(machine, vcpu, exchanged, addressOf(goes, i), stolen);
    if (answer !== 0) return undo(answer);
  }
  for (let i = 0n; i < comesCount; i++) {
    const mfn = takeFrames(machine, comes.order, wish, 0);
    if (mfn < 0) return undo(-ERRNO.ENOMEM);
    taken.push(mfn);
  }
  for (const mfn of stolen) {
    machine.memory.fill(mfn * PAGE, PAGE, 0);
    setM2p(machine, mfn, -1);
    markFree(machine, mfn);
    giveFramesBack(machine, mfn, 0);
  }
  let answer = 0;
  taken.forEach((mfn, i) => {
    assignFrames(machine, domain, mfn, 2 ** comes.order);
    if (!name(machine, vcpu, addressOf(comes, to + BigInt(i)), mfn, comes.order)) answer = -ERRNO.EFAULT;
  });
  return answer;
};

/** Take all frames of an extent from the domain, which nothing but its allocation may hold. */
const stealExtent = (machine: Machine, vcpu: Vcpu, { domain, goes }: Exchange, at: bigint, stolen: number[]): number => {
  if (!copyFromGuest(machine, vcpu, half(at), half(at >> 32n), 8)) return -ERRNO.EFAULT;
  const { frames } = machine;
  // Numbers that doubles cannot hold are beyond all frames; adding 1 to one of them changes nothing.
  const first = unsigned(scratch.getInt32(0, true), scratch.getInt32(4, true));
  for (let page = 0; page < 2 ** goes.order; page++) {
    const mfn = first + page;
    if (mfn >= frames.count) return -ERRNO.EINVAL;
    const isOnlyAllocated = frames.refs[mfn] === 1 && (frames.flags[mfn] & (PGF.allocated | PGF.xenheap)) === PGF.allocated;
    if (frames.owner[mfn] !== domain.domid || !isOnlyAllocated) return -ERRNO.EINVAL;
    disown(machine, mfn);
    stolen.push(mfn);
  }
  return 0;
};

/** Read which pages the frames become, and say which frames they are. */
const name = (machine: Machine, vcpu: Vcpu, at: bigint, mfn: number, order: number): boolean => {
  const lo = half(at);
  const hi = half(at >> 32n);
  if (!copyFromGuest(machine, vcpu, lo, hi, 8)) return false;
  nameFrames(machine, mfn, 2 ** order, scratch.getInt32(0, true), scratch.getInt32(4, true));
  return putGuest(machine, vcpu, lo, hi, 8, mfn);
};
