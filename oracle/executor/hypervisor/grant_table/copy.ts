/** GNTTABOP_copy: bytes from one page to another, each named by a frame of the caller's or by a grant. */

import { ERRNO } from '#spec/abi/errno.ts';
import { GNTCOPY, GNTST, gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { WORK } from '#spec/work.ts';
import { domainByAnyId } from '../domids.ts';
import { copyFromGuest, putGuest, scratch } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import type { Vcpu } from '../vcpu.ts';
import { RESTART } from './acquire_for_copy.ts';
import { CopyBuffer } from './copy_buffer.ts';
import { copyForward } from './copy_forward.ts';

const OP = SUBOPERATIONS.grant_table_op;
const { size, fields } = gnttab.copy;
const source = new CopyBuffer(true, fields.source.at, fields.source_domid.at);
const dest = new CopyBuffer(false, fields.dest.at, fields.dest_domid.at);

const u16 = (at: number): number => scratch.getUint16(at, true);

/** Answers 0 or a negative errno. Pages stay in use from one element to the next as long as the next one names the same. */
export const copyBatch = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, count: number): number => {
  source.reset();
  dest.reset();
  const answer = copyAll(machine, vcpu, lo, hi, count);
  release(machine, vcpu);
  return answer;
};

const copyAll = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, count: number): number => {
  for (let i = 0; i < count; i++) {
    const atLo = offsetLo(lo, i * size);
    const atHi = offsetHi(lo, hi, i * size);
    if (i > 0 && shouldPreempt(machine, vcpu)) return continueCall(OP.copy, 0, atLo, atHi, count - i, 0);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, atLo, atHi, size)) return -ERRNO.EFAULT;
    const status = copyOne(machine, vcpu);
    if (status === RESTART) {
      if (i > 0) return continueCall(OP.copy, 0, atLo, atHi, count - i, 0);
      machine.notModelled(vcpu, 'grant_table_op/copy-changed_to_transitive');
      return -ERRNO.ENOSYS;
    }
    if (status !== GNTST.okay) release(machine, vcpu);
    machine.emit({ kind: 'operation', at: vcpu.ref, name: 'grant_table_op/copy', result: status });
    const { at } = fields.status;
    if (!putGuest(machine, vcpu, offsetLo(atLo, at), offsetHi(atLo, atHi, at), 2, status)) return -ERRNO.EFAULT;
  }
  return 0;
};

const release = (machine: Machine, vcpu: Vcpu): void => {
  source.release(machine, vcpu);
  dest.release(machine, vcpu);
};

const forgetDomains = (): void => {
  source.domain = null;
  dest.domain = null;
};

/** The element in the scratch buffer. Answers a GNTST, or RESTART. */
const copyOne = (machine: Machine, vcpu: Vcpu): number => {
  if (u16(fields.len.at) === 0 && machine.ways['copy-no_bytes'] === 'done') return GNTST.okay;
  const flags = u16(fields.flags.at);
  const fromGrant = (flags & GNTCOPY.source_gref) !== 0;
  const toGrant = (flags & GNTCOPY.dest_gref) !== 0;
  if (!source.isOfSameDomain() || !dest.isOfSameDomain()) {
    release(machine, vcpu);
    forgetDomains();
    let named = nameDomain(machine, vcpu, source, fromGrant);
    if (named === GNTST.okay) named = nameDomain(machine, vcpu, dest, toGrant);
    if (named !== GNTST.okay) {
      forgetDomains();
      return named;
    }
  }
  let status = source.claim(machine, vcpu, fromGrant);
  if (status === GNTST.okay) status = dest.claim(machine, vcpu, toGrant);
  return status === GNTST.okay ? move(machine) : status;
};

const nameDomain = (machine: Machine, vcpu: Vcpu, buffer: CopyBuffer, byGrant: boolean): number => {
  buffer.domid = u16(buffer.domidAt);
  if (!byGrant && buffer.domid !== DOMID.SELF && machine.ways['copy-others_frame'] === 'with its domain') return GNTST.permission_denied;
  buffer.domain = domainByAnyId(machine, vcpu.domain, buffer.domid) ?? null;
  return buffer.domain === null ? GNTST.bad_domain : GNTST.okay;
};

/** The bytes must lie in both pages, and in what was granted of them. */
const move = (machine: Machine): number => {
  const length = u16(fields.len.at);
  const from = u16(fields.source_offset.at);
  const to = u16(fields.dest_offset.at);
  if (from + length > 4096 || to + length > 4096) return GNTST.bad_copy_arg;
  if (!source.covers(from, length) || !dest.covers(to, length)) return GNTST.general_error;
  copyForward(machine.memory, dest.mfn * 4096 + to, source.mfn * 4096 + from, length);
  return GNTST.okay;
};
