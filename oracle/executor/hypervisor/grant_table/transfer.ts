/** GNTTABOP_transfer: a page of the caller becomes another domain's, which has said in its table that it takes one. */

import { ERRNO } from '#spec/abi/errno.ts';
import { GNTST, GTF, GTF_TRANSFER, gnttab, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { setM2p } from '../domain_builder/m2p.ts';
import { PGF } from '../frame_table.ts';
import { copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { adjustPages, assignFrames, disown, giveFramesBack, heapOf } from '../memory/allocate.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import { dirtyCpus, flushMask } from '../tlbflush.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { grantEntry } from './grant_entry.ts';

const { size, fields } = gnttab.transfer;
const { flags, domid } = grant_entry_v1.fields;

/** Answers 0 or a negative errno. */
export const transferBatch = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, count: number): number => {
  for (let i = 0; i < count; i++) {
    const atLo = offsetLo(lo, i * size);
    const atHi = offsetHi(lo, hi, i * size);
    if (i > 0 && shouldPreempt(machine, vcpu)) return continueCall(SUBOPERATIONS.grant_table_op.transfer, 0, atLo, atHi, count - i, 0);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, atLo, atHi, size)) return -ERRNO.EFAULT;
    const status = transfer(machine, vcpu);
    machine.emit({ kind: 'operation', at: vcpu.ref, name: 'grant_table_op/transfer', result: status });
    const { at } = fields.status;
    if (!putGuest(machine, vcpu, offsetLo(atLo, at), offsetHi(atLo, atHi, at), 2, status)) return -ERRNO.EFAULT;
  }
  return 0;
};

/** The element in the scratch buffer. The page is the caller's no longer whatever goes wrong after it was taken: it is free then. */
const transfer = (machine: Machine, vcpu: Vcpu): number => {
  const { frames } = machine;
  const { domain } = vcpu;
  const mfn = unsigned(scratch.getInt32(fields.mfn.at, true), scratch.getInt32(fields.mfn.at + 4, true));
  // Nothing but its allocation may hold it.
  const isOnlyAllocated =
    mfn < frames.count && frames.refs[mfn] === 1 && (frames.flags[mfn] & (PGF.allocated | PGF.xenheap)) === PGF.allocated;
  if (!isOnlyAllocated || frames.owner[mfn] !== domain.domid) return GNTST.bad_page;
  heapOf(machine);
  disown(machine, mfn);
  adjustPages(machine, domain, -1);
  flushMask(machine, dirtyCpus(machine, domain));
  const ref = scratch.getUint32(fields.ref.at, true);
  const taker = machine.domainById(scratch.getUint16(fields.domid.at, true));
  const status = taker ? give(machine, domain, taker, mfn, ref) : GNTST.bad_domain;
  if (status !== GNTST.okay) free(machine, mfn);
  return status;
};

const give = (machine: Machine, giver: Domain, taker: Domain, mfn: number, ref: number): number => {
  if (taker.dying !== null || taker.pages >= taker.maxPages) return GNTST.general_error;
  adjustPages(machine, taker, 1);
  if (!commit(machine, giver, taker, ref)) {
    adjustPages(machine, taker, -1);
    return GNTST.general_error;
  }
  assignFrames(machine, taker, mfn, 1);
  const { memory } = machine;
  const entry = grantEntry(taker, ref);
  const isFirst = taker.grants.version === 1;
  const at = entry + (isFirst ? grant_entry_v1 : grant_entry_v2).fields.frame.at;
  setM2p(machine, mfn, memory.read32(at) | 0, isFirst ? 0 : memory.read32(at + 4) | 0);
  if (isFirst) memory.write32(at, mfn);
  else memory.writeHalves(at, mfn, 0);
  memory.write16(entry + flags.at, memory.read16(entry + flags.at) | GTF_TRANSFER.completed);
  return GNTST.okay;
};

/** The entry must say that it takes a page from the giver, and nothing else. */
const commit = ({ memory }: Machine, giver: Domain, taker: Domain, ref: number): boolean => {
  if (ref >= taker.grants.entries()) return false;
  const entry = grantEntry(taker, ref);
  if (memory.read16(entry + flags.at) !== GTF.accept_transfer || memory.read16(entry + domid.at) !== giver.domid) return false;
  memory.write16(entry + flags.at, GTF.accept_transfer | GTF_TRANSFER.committed);
  return true;
};

/** A page that was nobody's for a moment: erased, and no translation of it can be left. */
const free = (machine: Machine, mfn: number): void => {
  machine.memory.fill(mfn * 4096, 4096, 0);
  setM2p(machine, mfn, -1);
  machine.frames.needFlush[mfn] = 0;
  giveFramesBack(machine, mfn, 0);
};
