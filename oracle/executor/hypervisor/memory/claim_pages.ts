/** XENMEM_claim_pages: memory put aside for a domain before it is given. */
import { ERRNO } from '#spec/abi/errno.ts';
import { memory } from '#spec/abi/memory.ts';
import type { Domain } from '../domain.ts';
import { scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { heapOf } from './allocate.ts';
import { readArgument } from './argument.ts';

export const claimPages = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const { size, fields } = memory.reservation;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const word = (at: number): number => scratch.getInt32(at, true);
  const { extent_start, extent_order, mem_flags, nr_extents, domid } = fields;
  if ((word(extent_start.at) | word(extent_start.at + 4) | word(extent_order.at) | word(mem_flags.at)) !== 0) return -ERRNO.EINVAL;
  const domain = machine.domainById(scratch.getUint16(domid.at, true));
  if (!domain) return -ERRNO.EINVAL;
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  return claim(machine, domain, unsigned(word(nr_extents.at), word(nr_extents.at + 4)));
};

/** `pages`: how many the domain is to have in all; 0 takes the claim away. */
const claim = (machine: Machine, domain: Domain, pages: number): number => {
  if (pages === 0) {
    machine.claims -= domain.claimed;
    domain.claimed = 0;
    return 0;
  }
  if (domain.claimed !== 0 || pages <= domain.pages || pages > domain.maxPages) return -ERRNO.EINVAL;
  const lacking = pages - domain.pages;
  if (lacking > heapOf(machine).free - machine.claims) return -ERRNO.ENOMEM;
  domain.claimed = lacking;
  machine.claims += lacking;
  return 0;
};
