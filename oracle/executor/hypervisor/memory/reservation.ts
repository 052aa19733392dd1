/** increase_reservation, decrease_reservation, populate_physmap: frames come and go. What they answer is how many extents are done. */

import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MAX_ORDER, MEMOP_MAX_ORDER, MEMOP_MOST_EXTENTS, memory, XENMEMF } from '#spec/abi/memory.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { setM2p } from '../domain_builder/m2p.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { accessOk, copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import { hasIo } from '../io_capabilities.ts';
import type { Machine } from '../machine.ts';
import { dropAllocation, getPage, putPage } from '../mm/page.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { allocateFrames, type Wish } from './allocate.ts';
import { answerExtent, continueAt, extentHi, extentLo, offsetHi, offsetLo, readArgument } from './argument.ts';
import { ANYWHERE, addressBits, exactNode, limitOfBits, machineBits, nodeBehind } from './wish.ts';

const OP = SUBOPERATIONS.memory_op;
const PAGE_SHIFT = 12;
const ENTRY_BYTES = 8;

export const maxOrder = ({ domain }: Vcpu): number => {
  if (domain.privileged) return MEMOP_MAX_ORDER.dom0;
  return hasIo(domain) ? MEMOP_MAX_ORDER.devices : MEMOP_MAX_ORDER.domu;
};

/** The call at work. */
type Batch = {
  readonly domain: Domain;
  readonly listLo: number;
  readonly listHi: number;
  readonly order: number;
  readonly wish: Wish;
  readonly onDemand: boolean;
};

export const reservation = (machine: Machine, vcpu: Vcpu, args: Int32Array, op: number): number => {
  const { size, fields } = memory.reservation;
  if (!readArgument(machine, vcpu, args, size)) return answerExtent(args);
  const count = scratch.getUint32(fields.nr_extents.at, true);
  const start = extentLo(args) >>> 0;
  if (scratch.getUint32(fields.nr_extents.at + 4, true) !== 0 || count > MEMOP_MOST_EXTENTS) return answerExtent(args);
  if (extentHi(args) !== 0 || start >= count) return answerExtent(args);
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.domid.at, true));
  if (!domain) return start;
  const flags = scratch.getUint32(fields.mem_flags.at, true);
  const wish = wishOf(machine, vcpu, domain, flags);
  if (wish === null || !isTargetOrPrivileged(vcpu.domain, domain)) return start;
  const batch: Batch = {
    domain,
    listLo: scratch.getInt32(fields.extent_start.at, true),
    listHi: scratch.getInt32(fields.extent_start.at + 4, true),
    order: scratch.getUint32(fields.extent_order.at, true),
    wish,
    onDemand: op === OP.populate_physmap && (flags & XENMEMF.populate_on_demand) !== 0,
  };
  const needsList = op !== OP.increase_reservation || !hasNoList(batch);
  if (needsList && !accessOk(offsetHi(batch.listLo, batch.listHi, ENTRY_BYTES * start))) return start;
  if (batch.order > (batch.onDemand ? MAX_ORDER : maxOrder(vcpu))) return start;
  for (let i = start; i < count; i++) {
    if (i !== start && shouldPreempt(machine, vcpu)) return continueAt(op, i, args);
    machine.work.spend(WORK.entry);
    if (!batch.onDemand) machine.work.spend(WORK.page, 2 ** batch.order);
    if (!extent(machine, vcpu, batch, op, i)) return i;
  }
  return count;
};

const hasNoList = ({ listLo, listHi }: Batch): boolean => (listLo | listHi) === 0;

/** Null when the width of addresses is too small, or the node is none for the caller. */
const wishOf = (machine: Machine, vcpu: Vcpu, domain: Domain, flags: number): Wish | null => {
  let { limit } = ANYWHERE;
  const bits = addressBits(flags);
  if (bits !== 0 && bits < machineBits(machine)) {
    if (bits <= PAGE_SHIFT) return null;
    limit = limitOfBits(bits);
  }
  if ((flags & XENMEMF.vnode) !== 0) {
    const node = nodeBehind(domain, flags);
    return node === null ? null : { limit, exactNode: node };
  }
  const node = exactNode(vcpu.domain.privileged, flags);
  return node === null ? null : { limit, exactNode: node };
};

/** One extent. False: the call stops here. */
const extent = (machine: Machine, vcpu: Vcpu, batch: Batch, op: number, i: number): boolean => {
  switch (op) {
    case OP.increase_reservation:
      return increase(machine, vcpu, batch, i);
    case OP.decrease_reservation:
      return decrease(machine, vcpu, batch, i);
    default:
      return populate(machine, vcpu, batch, i);
  }
};

const readEntry = (machine: Machine, vcpu: Vcpu, { listLo, listHi }: Batch, i: number): boolean =>
  copyFromGuest(machine, vcpu, offsetLo(listLo, ENTRY_BYTES * i), offsetHi(listLo, listHi, ENTRY_BYTES * i), ENTRY_BYTES);

const writeEntry = (machine: Machine, vcpu: Vcpu, { listLo, listHi }: Batch, i: number, mfn: number): boolean =>
  putGuest(machine, vcpu, offsetLo(listLo, ENTRY_BYTES * i), offsetHi(listLo, listHi, ENTRY_BYTES * i), ENTRY_BYTES, mfn);

const increase = (machine: Machine, vcpu: Vcpu, batch: Batch, i: number): boolean => {
  const first = allocateFrames(machine, batch.domain, batch.order, batch.wish);
  return first >= 0 && (hasNoList(batch) || writeEntry(machine, vcpu, batch, i, first));
};

/** Frames go one by one; the first that cannot ends the call. */
const decrease = (machine: Machine, vcpu: Vcpu, batch: Batch, i: number): boolean => {
  if (!readEntry(machine, vcpu, batch, i)) return false;
  const { frames } = machine;
  const first = scratch.getUint32(0, true);
  if (scratch.getUint32(4, true) !== 0) return false;
  const end = first + 2 ** batch.order;
  for (let mfn = first; mfn < end; mfn++) {
    if (!getPage(frames, mfn, batch.domain.domid)) return false;
    dropAllocation(frames, mfn);
    putPage(frames, mfn);
  }
  return true;
};

const populate = (machine: Machine, vcpu: Vcpu, batch: Batch, i: number): boolean => {
  if (!readEntry(machine, vcpu, batch, i)) return false;
  const pfnLo = scratch.getInt32(0, true);
  const pfnHi = scratch.getInt32(4, true);
  if (batch.onDemand) return batch.domain !== vcpu.domain;
  const first = allocateFrames(machine, batch.domain, batch.order, batch.wish);
  if (first < 0) return false;
  nameFrames(machine, first, 2 ** batch.order, pfnLo, pfnHi);
  return writeEntry(machine, vcpu, batch, i, first);
};

/** Note in the machine-to-phys table that frames are the pages from `pfnHi:pfnLo` on. */
export const nameFrames = (machine: Machine, first: number, count: number, pfnLo: number, pfnHi: number): void => {
  for (let i = 0; i < count; i++) {
    const low = (pfnLo >>> 0) + i;
    setM2p(machine, first + i, low | 0, low >= TWO32 ? (pfnHi + 1) | 0 : pfnHi);
  }
};
