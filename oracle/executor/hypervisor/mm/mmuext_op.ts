/** mmuext_op: a batch of operations on page tables, base pointers, caches and whole pages. */

import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { mmuext_op as layout, MMUEXT_MAX_TYPE } from '#spec/abi/xen.ts';
import { ModelBug } from '#spec/failure.ts';
import { WORK } from '#spec/work.ts';
import { isTargetOrPrivileged } from '../domids.ts';
import { PGT } from '../frame_table.ts';
import { accessOk, copyFromGuest, scratch } from '../guest_access.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import { hasIo } from '../io_capabilities.ts';
import type { Machine } from '../machine.ts';
import { dirtyCpus, flushAddress, flushLocal, flushMask } from '../tlbflush.ts';
import { isCanonical, unsigned } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { newGuestCr3, newUserTable } from './base_pointer.ts';
import { continueBatch, continueFarewell, continueFromStart, isFarewell, RESTART, readDone, writeDone } from './batch.ts';
import { isCompat } from './compat_rules.ts';
import { changeLdt } from './local_descriptor_table.ts';
import { hasOldGuestTable, putOldGuestTable } from './old_guest_table.ts';
import { getPgOwner } from './pg_owner.ts';
import { pinTable, unpinTable } from './pin.ts';
import { readVcpumask } from './vcpumask.ts';
import { clearPage, copyPage } from './whole_page.ts';

const OP = SUBOPERATIONS.mmuext_op;
const KNOWN = Array.from({ length: MMUEXT_MAX_TYPE + 1 }, (_, cmd) => suboperation('mmuext_op', cmd) !== undefined);
const NAMES = Array.from({ length: MMUEXT_MAX_TYPE + 1 }, (_, cmd) => `mmuext_op/${suboperation('mmuext_op', cmd) ?? cmd}`);
const MOST_LDT_ENTRIES = 8192;

export const mmuext_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (putOldGuestTable(machine, vcpu) !== 0) return continueFromStart(args);
  if (isFarewell(args)) return args[6];
  let done = readDone(machine, vcpu, args);
  const count = args[2] & 0x7fffffff;
  let lo = args[0];
  let hi = args[1];
  if (!accessOk(hi)) return -ERRNO.EFAULT;
  const pgOwner = getPgOwner(machine, vcpu.domain, args[6]);
  if (pgOwner < 0) return -ERRNO.ESRCH;
  const owner = machine.domainById(pgOwner);
  if (owner ? !isTargetOrPrivileged(vcpu.domain, owner) : !vcpu.domain.privileged) return -ERRNO.EPERM;
  let answer = 0;
  let i = 0;
  for (; i < count; i++) {
    if (hasOldGuestTable(vcpu) || (i > 0 && shouldPreempt(machine, vcpu))) answer = RESTART;
    else if (!copyFromGuest(machine, vcpu, lo, hi, layout.size)) answer = -ERRNO.EFAULT;
    else {
      machine.work.spend(WORK.entry);
      const cmd = scratch.getUint32(0, true);
      machine.work.operation('mmuext_op', cmd);
      answer = operate(machine, vcpu, cmd, pgOwner);
      if (answer !== RESTART) machine.emit({ kind: 'operation', at: vcpu.ref, name: NAMES[cmd] ?? `mmuext_op/${cmd}`, result: answer });
    }
    if (answer !== 0) break;
    if (lo >>> 0 >= 2 ** 32 - layout.size) hi = (hi + 1) | 0;
    lo = (lo + layout.size) | 0;
  }
  if (answer === RESTART) answer = continueBatch(args, lo, hi, count - i);
  else if (hasOldGuestTable(vcpu)) answer = continueFarewell(answer);
  done += i;
  writeDone(machine, vcpu, args, done);
  return answer;
};

/** One element, which is in the scratch buffer. */
const operate = (machine: Machine, vcpu: Vcpu, cmd: number, pgOwner: number): number => {
  const arg1Lo = scratch.getInt32(8, true);
  const arg1Hi = scratch.getInt32(12, true);
  const arg2Lo = scratch.getInt32(16, true);
  const arg2Hi = scratch.getInt32(20, true);
  const mfn = unsigned(arg1Lo, arg1Hi);
  switch (cmd) {
    case OP.pin_l1_table:
      return pinTable(machine, vcpu, mfn, PGT.l1, pgOwner);
    case OP.pin_l2_table:
      return pinTable(machine, vcpu, mfn, PGT.l2, pgOwner);
    case OP.pin_l3_table:
      return pinTable(machine, vcpu, mfn, PGT.l3, pgOwner);
    case OP.pin_l4_table:
      // A 32-bit domain has none, and Xen says nothing.
      if (isCompat(machine, pgOwner)) return 0;
      return pinTable(machine, vcpu, mfn, PGT.l4, pgOwner);
    case OP.unpin_table:
      return unpinTable(machine, vcpu, mfn, pgOwner);
    case OP.clear_page:
      return clearPage(machine, vcpu, mfn, pgOwner);
    case OP.copy_page:
      return copyPage(machine, vcpu, mfn, unsigned(arg2Lo, arg2Hi), pgOwner);
    case OP.mark_super:
    case OP.unmark_super:
      return -ERRNO.EOPNOTSUPP;
  }
  if (cmd > MMUEXT_MAX_TYPE || !KNOWN[cmd]) return -ERRNO.ENOSYS;
  // All others are about the calling vCPU itself.
  if (pgOwner !== vcpu.domain.domid) return -ERRNO.EPERM;
  switch (cmd) {
    case OP.new_baseptr:
      return newGuestCr3(machine, vcpu, mfn);
    case OP.new_user_baseptr:
      return newUserTable(machine, vcpu, mfn);
    case OP.tlb_flush_local:
      flushLocal(machine, vcpu);
      return 0;
    case OP.invlpg_local:
      if (isCanonical(arg1Hi)) flushAddress(machine, 1 << vcpu.processor, arg1Lo, arg1Hi);
      return 0;
    case OP.tlb_flush_multi:
    case OP.invlpg_multi: {
      const cpus = readVcpumask(machine, vcpu, arg2Lo, arg2Hi);
      if (cpus < 0) return -ERRNO.EINVAL;
      if (cmd === OP.tlb_flush_multi) flushMask(machine, cpus);
      else if (accessOk(arg1Hi)) flushAddress(machine, cpus, arg1Lo, arg1Hi);
      return 0;
    }
    case OP.tlb_flush_all:
      flushMask(machine, dirtyCpus(machine, vcpu.domain));
      return 0;
    case OP.invlpg_all:
      if (accessOk(arg1Hi)) flushAddress(machine, dirtyCpus(machine, vcpu.domain), arg1Lo, arg1Hi);
      return 0;
    case OP.flush_cache:
      return hasIo(vcpu.domain) ? 0 : -ERRNO.EACCES;
    case OP.flush_cache_global:
      return hasIo(vcpu.domain) ? 0 : -ERRNO[machine.ways['flush_cache_global-errno']];
    case OP.set_ldt:
      return setLdt(machine, vcpu, arg1Lo, arg1Hi, arg2Lo >>> 0);
    default:
      throw new ModelBug(`mmuext_op/${cmd} is known and not carried out`);
  }
};

/** Its pages are put in place when they are used. */
const setLdt = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, entries: number): number => {
  if (entries > MOST_LDT_ENTRIES || (entries !== 0 && ((lo & 4095) !== 0 || !accessOk(hi)))) return -ERRNO.EINVAL;
  if (changeLdt(machine, vcpu, lo, hi, entries)) flushLocal(machine, vcpu);
  return 0;
};
