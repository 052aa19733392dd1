/** increase_reservation, decrease_reservation and populate_physmap: extent after extent. Chapter: spec/chapters/memory_op.md. */
import { MAX_ORDER, MEMOP_MAX_ORDER, MEMOP_MOST_EXTENTS, memory, XENMEMF } from '#spec/abi/memory.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { mayUseDevices } from '../../domain/io_caps.ts';
import { addressOk, copyFromGuest, writeGuestWord } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { setM2pRun } from '../../page_type/allocation.ts';
import { addInt, fromNumber, isZero, toBigInt, toNumber, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { isControlDomain, mayTarget } from '../domids.ts';
import { preemptCheck } from '../preempt.ts';
import { doneWord, type HypercallResult } from '../result.ts';
import { allocate, limitOf, machineBits, nodeOf, virtualNodeOf, type Where } from './allocate.ts';
import { type Argument, continued, type MemoryCall, type MemoryRule, readArgument } from './command.ts';
import { giveBackFrames } from './give_back.ts';
import { anyDomain } from './subject.ts';

/** What the extents of a call have in common. */
export type Reservation = {
  readonly caller: VcpuRef;
  readonly domid: number;
  readonly list: Word;
  readonly count: number;
  readonly order: number;
  readonly where: Where;
  readonly onDemand: boolean;
};

/** One extent; `done`: go on with the next one. */
type Extent = (machine: Machine, reservation: Reservation, i: number) => { readonly machine: Machine; readonly done: boolean };
type Kind = { readonly extent: Extent; readonly nullList?: true; readonly onDemand?: true };

export const largestOrder = (machine: Machine, caller: VcpuRef): number => {
  if (isControlDomain(caller)) return MEMOP_MAX_ORDER.dom0;
  return mayUseDevices(machine, caller.domid) ? MEMOP_MAX_ORDER.devices : MEMOP_MAX_ORDER.domu;
};

const adjust =
  (kind: Kind): MemoryRule =>
  (machine, caller, call) => {
    const read = readArgument(machine, caller, call.arg, memory.reservation);
    const nothing = (clause: ClauseId): HypercallResult => doneWord(read.machine, clause, call.extent);
    const { argument } = read;
    if (!argument) return nothing('memory/reservation-argument');
    if (argument.big('nr_extents') > BigInt(MEMOP_MOST_EXTENTS) || toBigInt(call.extent) >= argument.big('nr_extents'))
      return nothing('memory/reservation-argument');
    const made = reservationOf(read.machine, caller, argument, kind);
    if (typeof made === 'string') return nothing(made);
    const first = toNumber(call.extent);
    const start = addInt(made.list, 8 * first);
    if (!(kind.nullList && isZero(made.list)) && !addressOk(start)) return nothing('memory/reservation-list');
    if (made.order > (made.onDemand ? MAX_ORDER : largestOrder(read.machine, caller))) return nothing('memory/reservation-order');
    return extents(read.machine, call, made, first, kind.extent);
  };

/** What the argument asks for, or the clause that refuses it. */
const reservationOf = (
  machine: Machine,
  caller: VcpuRef,
  argument: Argument<typeof memory.reservation>,
  kind: Kind,
): Reservation | ClauseId => {
  const domain = anyDomain(machine, caller, argument.number('domid'));
  if (!domain) return 'memory/reservation-domain';
  const flags = argument.number('mem_flags');
  const bits = flags & XENMEMF.address_bits_mask;
  const limited = bits < machineBits(machine);
  if (bits > 0 && bits <= 12 && limited) return 'memory/reservation-bits';
  const virtual = (flags & XENMEMF.vnode) !== 0;
  const node = virtual ? virtualNodeOf(domain, flags) : nodeOf(caller, flags);
  if (!node.allowed) return virtual ? 'memory/vnuma-reservation' : 'memory/reservation-node';
  if (!mayTarget(caller, domain.domid)) return 'memory/reservation-permission';
  return {
    caller,
    domid: domain.domid,
    list: argument.word('extent_start'),
    count: argument.number('nr_extents'),
    order: argument.number('extent_order'),
    where: { limit: limited ? limitOf(bits) : Number.POSITIVE_INFINITY, nowhere: node.nowhere },
    onDemand: kind.onDemand === true && (flags & XENMEMF.populate_on_demand) !== 0,
  };
};

const extents = (machine: Machine, call: MemoryCall, reservation: Reservation, first: number, extent: Extent): HypercallResult => {
  let m = machine;
  for (let i = first; i < reservation.count; i++) {
    if (i !== first) {
      const asked = preemptCheck(m, reservation.caller);
      m = asked.machine;
      if (asked.stop) return continued(cite(m, 'memory/reservation-preempted'), call, i);
    }
    spend(m, 'entry');
    if (!reservation.onDemand) spend(m, 'page', 2 ** reservation.order);
    const worked = extent(m, reservation, i);
    m = worked.machine;
    if (!worked.done) return doneWord(m, 'memory/reservation-stopped', fromNumber(i));
  }
  return doneWord(m, 'memory/reservation-done', fromNumber(reservation.count));
};

const at = (list: Word, i: number): Word => addInt(list, 8 * i);

/** A page or frame number of the list; null when it cannot be read. */
const listed = (machine: Machine, { caller, list }: Reservation, i: number): { readonly machine: Machine; readonly value: Word | null } => {
  const read = copyFromGuest(machine, caller, at(list, i), 8);
  return { machine: read.machine, value: read.ok ? wordIn(read.bytes, 0) : null };
};

const tell = (machine: Machine, { caller, list }: Reservation, i: number, mfn: number, clause: ClauseId) => {
  const written = writeGuestWord(machine, caller, at(list, i), fromNumber(mfn));
  return { machine: cite(written.machine, clause), done: written.ok };
};

const increase: Extent = (machine, reservation, i) => {
  const given = allocate(machine, reservation.domid, reservation.order, reservation.where);
  if (given.mfn === null) return { machine: given.machine, done: false };
  if (isZero(reservation.list)) return { machine: given.machine, done: true };
  return tell(given.machine, reservation, i, given.mfn, 'memory/increase_reservation-told');
};

const populate: Extent = (machine, reservation, i) => {
  const { machine: m, value: page } = listed(machine, reservation, i);
  if (!page) return { machine: cite(m, 'memory/populate_physmap-read'), done: false };
  if (reservation.onDemand)
    return { machine: cite(m, 'memory/populate_physmap-on_demand'), done: reservation.domid !== reservation.caller.domid };
  const given = allocate(m, reservation.domid, reservation.order, reservation.where);
  if (given.mfn === null) return { machine: given.machine, done: false };
  const named = nameFrames(given.machine, given.mfn, reservation.order, page);
  return tell(named, reservation, i, given.mfn, 'memory/populate_physmap-done');
};

/** The frames of an extent are the pages from `page` on. */
export const nameFrames = (machine: Machine, mfn: number, order: number, page: Word): Machine =>
  setM2pRun(machine, mfn, 2 ** order, (n) => addInt(page, n));

const decrease: Extent = (machine, reservation, i) => {
  const { machine: m, value: first } = listed(machine, reservation, i);
  if (!first) return { machine: cite(m, 'memory/decrease_reservation-read'), done: false };
  return giveBackFrames(m, reservation.domid, first, 2 ** reservation.order);
};

export const increaseReservation = adjust({ extent: increase, nullList: true });
export const decreaseReservation = adjust({ extent: decrease });
export const populatePhysmap = adjust({ extent: populate, onDemand: true });
