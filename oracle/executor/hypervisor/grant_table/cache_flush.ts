/** GNTTABOP_cache_flush: the caches have no state here; what counts is who may name which page. */

import { ERRNO } from '#spec/abi/errno.ts';
import { GNTTAB_CACHE, gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import { frameOfAddress } from '../mm/entry.ts';
import type { Vcpu } from '../vcpu.ts';

const { size, fields } = gnttab.cache_flush;
/** References that are looked at before Xen asks whether to stop; the number of those done is in the command's upper bits. */
const STRIDE = 0x1000;
/** The search for a grant has not come to its end. */
const MORE = 1;

/** Answers 0 or a negative errno. `from`: the reference at which the search for the first element's grant goes on. */
export const cacheFlush = (machine: Machine, vcpu: Vcpu, from: number, lo: number, hi: number, count: number): number => {
  const again = (i: number): number => {
    const cmd = SUBOPERATIONS.grant_table_op.cache_flush | SEARCH.ref;
    return continueCall(cmd, 0, offsetLo(lo, i * size), offsetHi(lo, hi, i * size), count - i, 0);
  };
  SEARCH.ref = from;
  for (let i = 0; i < count; i++) {
    if (i > 0 && shouldPreempt(machine, vcpu)) return again(i);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, offsetLo(lo, i * size), offsetHi(lo, hi, i * size), size)) return -ERRNO.EFAULT;
    for (;;) {
      const answer = flushOne(machine, vcpu.domain);
      if (answer < 0) return answer;
      if (answer === 0) break;
      if (shouldPreempt(machine, vcpu)) return again(i);
    }
    SEARCH.ref = 0;
  }
  return 0;
};

/** Where the search stands. */
const SEARCH = { ref: 0 };

/** The element in the scratch buffer. Answers 0, a negative errno or MORE. */
const flushOne = (machine: Machine, domain: Domain): number => {
  const { frames } = machine;
  const offset = scratch.getUint16(fields.offset.at, true);
  const length = scratch.getUint16(fields.length.at, true);
  const op = scratch.getUint32(fields.op.at, true);
  if (offset >= 4096 || length > 4096 || offset + length > 4096 || (op & ~(GNTTAB_CACHE.clean | GNTTAB_CACHE.inval)) !== 0)
    return -ERRNO.EINVAL;
  if (length === 0 || op === 0) return SEARCH.ref === 0 ? 0 : -ERRNO.EILSEQ;
  const address = fields.dev_bus_addr.at;
  const mfn = frameOfAddress(scratch.getInt32(address, true), scratch.getInt32(address + 4, true));
  if (mfn >= frames.count) return -ERRNO.EINVAL;
  const owner = frames.refs[mfn] === 0 ? undefined : machine.domainById(frames.owner[mfn]);
  if (!owner) return -ERRNO.EPERM;
  if (owner !== domain) {
    const found = findGrant(machine, owner, domain, mfn);
    if (found !== 0) return found;
  }
  return op === GNTTAB_CACHE.inval ? -ERRNO.EOPNOTSUPP : 0;
};

/** Whether `owner` has a grant of the frame that `user` uses, among the next references. Answers 0, -EINVAL or MORE. */
const findGrant = (machine: Machine, { grants }: Domain, user: Domain, mfn: number): number => {
  // The sum wraps: a search that would begin beyond all references finds none.
  const end = Math.min((SEARCH.ref + STRIDE) >>> 0, grants.entries());
  machine.work.spend(WORK.grant, Math.max(0, end - SEARCH.ref));
  for (const [ref, active] of grants.active) {
    if (ref >= SEARCH.ref && ref < end && active.domid === user.domid && active.mfn === mfn) return 0;
  }
  const next = Math.max(SEARCH.ref, end);
  if (next >= grants.entries()) return -ERRNO.EINVAL;
  SEARCH.ref = next;
  return MORE;
};
