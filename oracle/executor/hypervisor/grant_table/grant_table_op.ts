/** grant_table_op: command, elements, count. */

import { ERRNO } from '#spec/abi/errno.ts';
import { gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { WORK } from '#spec/work.ts';
import { accessOk, copyFromGuest, copyToGuest, putGuest } from '../guest_access.ts';
import { continueCall, shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import { dirtyCpus, flushMask } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';
import { cacheFlush } from './cache_flush.ts';
import { copyBatch } from './copy.ts';
import { mapGrantRef } from './map_grant_ref.ts';
import { getStatusFrames } from './status_frames.ts';
import { swapBatch } from './swap_grant_ref.ts';
import { querySize, setupTable } from './table_size.ts';
import { transferBatch } from './transfer.ts';
import { BATCH, completeUnmap, unmapAndReplace, unmapGrantRef } from './unmap_grant_ref.ts';
import { getVersion, setVersion } from './version.ts';

const OP = SUBOPERATIONS.grant_table_op;
/** The bits above are for continuations of cache_flush. */
const CMD_MASK = 0xfff;

export const grant_table_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const cmd = args[0] & CMD_MASK;
  const lo = args[2];
  const hi = args[3];
  const count = args[4];
  if (count < 0 || (cmd !== OP.cache_flush && (args[0] & ~CMD_MASK) !== 0)) return -ERRNO.EINVAL;
  switch (cmd) {
    case OP.map_grant_ref:
      return accessOk(hi) ? mapBatch(machine, vcpu, lo, hi, count) : -ERRNO.EFAULT;
    case OP.unmap_grant_ref:
      return accessOk(hi) ? unmapBatch(machine, vcpu, OP.unmap_grant_ref, unmapGrantRef, lo, hi, count) : -ERRNO.EFAULT;
    case OP.unmap_and_replace:
      return accessOk(hi) ? unmapBatch(machine, vcpu, OP.unmap_and_replace, unmapAndReplace, lo, hi, count) : -ERRNO.EFAULT;
    case OP.transfer:
      return accessOk(hi) ? transferBatch(machine, vcpu, lo, hi, count) : -ERRNO.EFAULT;
    case OP.copy:
      return accessOk(hi) ? copyBatch(machine, vcpu, lo, hi, count) : -ERRNO.EFAULT;
    case OP.swap_grant_ref:
      return accessOk(hi) ? swapBatch(machine, vcpu, lo, hi, count) : -ERRNO.EFAULT;
    case OP.cache_flush:
      return accessOk(hi) ? cacheFlush(machine, vcpu, (args[0] & ~CMD_MASK) >>> 0, lo, hi, count) : -ERRNO.EFAULT;
    case OP.get_status_frames:
      return getStatusFrames(machine, vcpu, lo, hi, count);
    case OP.setup_table:
      return setupTable(machine, vcpu, lo, hi, count);
    case OP.query_size:
      return querySize(machine, vcpu, lo, hi, count);
    case OP.set_version:
      return setVersion(machine, vcpu, lo, hi);
    case OP.get_version:
      return getVersion(machine, vcpu, lo, hi);
  }
  return -ERRNO.ENOSYS;
};

const tell = (machine: Machine, vcpu: Vcpu, name: string, status: number): void =>
  machine.emit({ kind: 'operation', at: vcpu.ref, name, result: status });

const mapBatch = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, count: number): number => {
  const { size } = gnttab.map_grant_ref;
  for (let i = 0; i < count; i++) {
    const atLo = offsetLo(lo, i * size);
    const atHi = offsetHi(lo, hi, i * size);
    if (i > 0 && shouldPreempt(machine, vcpu)) return continueCall(OP.map_grant_ref, 0, atLo, atHi, count - i, 0);
    machine.work.spend(WORK.entry);
    if (!copyFromGuest(machine, vcpu, atLo, atHi, size)) return -ERRNO.EFAULT;
    tell(machine, vcpu, 'grant_table_op/map_grant_ref', mapGrantRef(machine, vcpu));
    if (!copyToGuest(machine, vcpu, atLo, atHi, size)) return -ERRNO.EFAULT;
  }
  return 0;
};

/** Mappings go one by one; what they held goes after each 32, and at the end. */
const unmapBatch = (
  machine: Machine,
  vcpu: Vcpu,
  op: number,
  unmapOne: typeof unmapGrantRef,
  lo: number,
  hi: number,
  count: number,
): number => {
  // The two structures are alike in size and in the place of the status.
  const { size, fields } = gnttab.unmap_grant_ref;
  const name = op === OP.unmap_grant_ref ? 'grant_table_op/unmap_grant_ref' : 'grant_table_op/unmap_and_replace';
  for (let done = 0; done < count; ) {
    const batch = Math.min(count - done, BATCH);
    let ended = 0;
    let fault = false;
    while (!fault && ended < batch) {
      machine.work.spend(WORK.entry);
      const bytes = (done + ended) * size;
      fault = !copyFromGuest(machine, vcpu, offsetLo(lo, bytes), offsetHi(lo, hi, bytes), size);
      if (fault) break;
      const status = unmapOne(machine, vcpu, ended++);
      tell(machine, vcpu, name, status);
      const at = bytes + fields.status.at;
      fault = !putGuest(machine, vcpu, offsetLo(lo, at), offsetHi(lo, hi, at), 2, status);
    }
    flushMask(machine, dirtyCpus(machine, vcpu.domain));
    for (let slot = 0; slot < ended; slot++) completeUnmap(machine, vcpu, slot);
    if (fault) return -ERRNO.EFAULT;
    done += batch;
    if (done < count && shouldPreempt(machine, vcpu)) {
      return continueCall(op, 0, offsetLo(lo, done * size), offsetHi(lo, hi, done * size), count - done, 0);
    }
  }
  return 0;
};
