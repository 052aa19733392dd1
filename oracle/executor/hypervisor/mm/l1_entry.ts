/** What an L1 entry holds: a reference to its page, and a writable type reference when it may write. */
import { ERRNO } from '#spec/abi/errno.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { NO_OWNER, PGF, PGT } from '../frame_table.ts';
import { hasIo } from '../io_capabilities.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { CACHE_ATTRIBUTES, frameOf, PTE, PTE_HIGH } from './entry.ts';
import { checkIoMapping, isIoFrame } from './io_memory.ts';
import { getOwnerAndReference, putPage } from './page.ts';
import { getPageType, putPageAndType, putPageType } from './page_type.ts';

/** A domain that has nothing to do with devices may not choose cache attributes. */
const disallowed = (machine: Machine, domid: number): number => {
  const domain = machine.domainById(domid);
  return domain && hasIo(domain) ? 0 : CACHE_ATTRIBUTES;
};

/** Whether an entry of a table of `domid` carries flags that it must not. */
export const hasBadL1Flags = (machine: Machine, domid: number, lo: number): boolean => (lo & disallowed(machine, domid)) !== 0;

/**
 * Take the references of a present entry of a table of `tableOwner` that leads to a page of `pgOwner`. Answers 0, a negative errno (nothing taken),
 * or the flags that have to be flipped in the entry.
 */
export const getPageFromL1e = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, tableOwner: number, pgOwner: number): number => {
  const { frames } = machine;
  if (hasBadL1Flags(machine, tableOwner, lo)) return -ERRNO.EINVAL;
  const mfn = frameOf(lo, hi);
  if (isIoFrame(frames, mfn)) return checkIoMapping(machine, lo, mfn, tableOwner, pgOwner === DOMID.IO ? vcpu.domain.domid : pgOwner);
  const owner = getOwnerAndReference(frames, mfn);
  if (owner === NO_OWNER) return -ERRNO.EBUSY;
  // The control domain may hand a page of any domain to a third one.
  const handedOver = owner === pgOwner || (pgOwner !== tableOwner && machine.domainById(pgOwner)?.privileged === true);
  const write = (lo & PTE.RW) !== 0;
  if (!handedOver || (write && getPageType(machine, vcpu, mfn, PGT.writable) !== 0)) {
    putPage(frames, mfn);
    return -ERRNO.EBUSY;
  }
  if ((lo & CACHE_ATTRIBUTES) !== 0 && (frames.flags[mfn] & PGF.xenheap) !== 0) {
    if (write) putPageType(machine, vcpu, mfn);
    putPage(frames, mfn);
    return -ERRNO.EACCES;
  }
  return 0;
};

/** Give back what an entry held. */
export const putPageFromL1e = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): void => {
  if ((lo & PTE.PRESENT) === 0) return;
  const { frames } = machine;
  const mfn = frameOf(lo, hi);
  if (isIoFrame(frames, mfn)) return;
  if ((lo & PTE.RW) !== 0) putPageAndType(machine, vcpu, mfn);
  else putPage(frames, mfn);
};

/** Lower half of a present entry as Xen stores it: a page without U becomes the guest kernel's, one that is not the kernel's becomes global. */
export const adjustL1Lo = (lo: number, hi: number): number => {
  const kernel = (lo & PTE.USER) === 0 || (hi & PTE_HIGH.GUEST_KERNEL) !== 0;
  return kernel ? lo | PTE.USER : lo | PTE.USER | PTE.GLOBAL;
};
/** Its upper half. */
export const adjustL1Hi = (lo: number, hi: number): number => ((lo & PTE.USER) === 0 ? hi | PTE_HIGH.GUEST_KERNEL : hi);
