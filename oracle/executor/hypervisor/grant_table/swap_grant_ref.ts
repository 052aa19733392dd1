/** GNTTABOP_swap_grant_ref: two entries of the caller's own table change places. */

import { ERRNO } from '#spec/abi/errno.ts';
import { GNTST, gnttab, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import type { Vcpu } from '../vcpu.ts';
import { grantEntry, statusEntry } from './grant_entry.ts';

const { size, fields } = gnttab.swap_grant_ref;

/** Answers 0 or a negative errno. */
export const swapBatch = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, count: number): number => {
  for (let i = 0; i < count; i++) {
    const atLo = offsetLo(lo, i * size);
    const atHi = offsetHi(lo, hi, i * size);
    if (i > 0 && shouldPreempt(machine, vcpu))
      return continueCall(SUBOPERATIONS.grant_table_op.swap_grant_ref, 0, atLo, atHi, count - i, 0);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, atLo, atHi, size)) return -ERRNO.EFAULT;
    const status = swap(machine, vcpu.domain, scratch.getUint32(fields.ref_a.at, true), scratch.getUint32(fields.ref_b.at, true));
    machine.emit({ kind: 'operation', at: vcpu.ref, name: 'grant_table_op/swap_grant_ref', result: status });
    const { at } = fields.status;
    if (!putGuest(machine, vcpu, offsetLo(atLo, at), offsetHi(atLo, atHi, at), 2, status)) return -ERRNO.EFAULT;
  }
  return 0;
};

const swap = (machine: Machine, domain: Domain, a: number, b: number): number => {
  const { grants } = domain;
  if (a >= grants.entries() || b >= grants.entries()) return GNTST.bad_gntref;
  if (a === b) return GNTST.okay;
  if (grants.active.has(a) || grants.active.has(b)) return GNTST.eagain;
  exchange(machine, grantEntry(domain, a), grantEntry(domain, b), (grants.version === 1 ? grant_entry_v1 : grant_entry_v2).size);
  if (grants.version === 2) exchange(machine, statusEntry(domain, a), statusEntry(domain, b), 2);
  return GNTST.okay;
};

const exchange = ({ memory }: Machine, a: number, b: number, bytes: number): void => {
  const kept = memory.readBytes(a, bytes);
  memory.writeBytes(a, memory.readBytes(b, bytes));
  memory.writeBytes(b, kept);
};
