/** mmu_update: a batch of changes to page table entries and to the machine-to-physical table. */

import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { DOMID, mmu_update as layout } from '#spec/abi/xen.ts';
import { WORK } from '#spec/work.ts';
import { setM2p } from '../domain_builder/m2p.ts';
import { isTargetOrPrivileged } from '../domids.ts';
import { PGT } from '../frame_table.ts';
import { accessOk, copyFromGuest, scratch } from '../guest_access.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { dirtyCpus, flushMask } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';
import { continueBatch, continueFarewell, continueFromStart, isFarewell, RESTART, readDone, writeDone } from './batch.ts';
import { frameOfAddress } from './entry.ts';
import { modL1Entry, modTableEntry } from './mod_entry.ts';
import { hasOldGuestTable, putOldGuestTable } from './old_guest_table.ts';
import { ownsPage } from './page.ts';
import { getPageType, isLockable, putPageType } from './page_type.ts';
import { getPgOwner } from './pg_owner.ts';

const OP = SUBOPERATIONS.mmu_update;
const CMD_MASK = 7;
const NAMES = Array.from({ length: CMD_MASK + 1 }, (_, cmd) => `mmu_update/${suboperation('mmu_update', cmd) ?? cmd}`);

/** Whose tables, and whose pages, a batch is about. */
const owners = { table: 0, page: 0 };
/** Whether an element of the call has changed a table above L1. */
let tableChanged = false;

export const mmu_update = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (putOldGuestTable(machine, vcpu) !== 0) return continueFromStart(args);
  if (isFarewell(args)) return args[6];
  let done = readDone(machine, vcpu, args);
  const count = args[2] & 0x7fffffff;
  let lo = args[0];
  let hi = args[1];
  if (!accessOk(hi)) return -ERRNO.EFAULT;
  const { domain } = vcpu;
  const tableDomain = args[6] >>> 16 === 0 ? domain : machine.domainById((args[6] >>> 16) - 1);
  if (!tableDomain) return -ERRNO.ESRCH;
  owners.table = tableDomain.domid;
  owners.page = getPgOwner(machine, domain, args[6]);
  let answer = owners.page < 0 ? -ERRNO.ESRCH : 0;
  tableChanged = false;
  let i = 0;
  for (; answer === 0 && i < count; i++) {
    if (hasOldGuestTable(vcpu) || (i > 0 && shouldPreempt(machine, vcpu))) answer = RESTART;
    else if (!copyFromGuest(machine, vcpu, lo, hi, layout.size)) answer = -ERRNO.EFAULT;
    else {
      machine.work.spend(WORK.entry);
      const cmd = scratch.getUint8(0) & CMD_MASK;
      machine.work.operation('mmu_update', cmd);
      answer = update(machine, vcpu, cmd);
      if (answer !== RESTART) machine.emit({ kind: 'operation', at: vcpu.ref, name: NAMES[cmd], result: answer });
    }
    if (answer !== 0) break;
    if (lo >>> 0 >= 2 ** 32 - layout.size) hi = (hi + 1) | 0;
    lo = (lo + layout.size) | 0;
  }
  if (answer === RESTART) answer = continueBatch(args, lo, hi, count - i);
  else if (hasOldGuestTable(vcpu)) answer = continueFarewell(answer);
  done += i;
  writeDone(machine, vcpu, args, done);
  // What is left of higher levels may be in use through linear page tables.
  if (tableChanged) flushMask(machine, dirtyCpus(machine, tableDomain));
  return answer;
};

/** One element, which is in the scratch buffer. */
const update = (machine: Machine, vcpu: Vcpu, cmd: number): number => {
  const ptrLo = scratch.getInt32(0, true);
  const ptrHi = scratch.getInt32(4, true);
  const valueLo = scratch.getInt32(8, true);
  const valueHi = scratch.getInt32(12, true);
  if (cmd === OP.machphys_update) return machphys(machine, vcpu, ptrLo, ptrHi, valueLo, valueHi);
  if (cmd > OP.pt_update_no_translate) return -ERRNO.ENOSYS;
  if (!mayUsePages(machine, vcpu) || !mayUse(machine, vcpu, owners.table)) return -ERRNO.EPERM;
  const mfn = frameOfAddress(ptrLo, ptrHi);
  const { frames } = machine;
  if (!ownsPage(frames, mfn, owners.table)) return -ERRNO.EINVAL;
  const at = mfn * 4096 + (ptrLo & 0xff8);
  const type = isLockable(machine, mfn) ? frames.type[mfn] : PGT.none;
  const preserve = cmd === OP.pt_update_preserve_ad;
  switch (type) {
    case PGT.l1:
      return modL1Entry(machine, vcpu, at, valueLo, valueHi, preserve, owners.table, owners.page);
    case PGT.l2:
    case PGT.xen_l2:
    case PGT.l3:
    case PGT.l4:
      if (owners.page !== owners.table) return -ERRNO.EINVAL;
      return tableEntry(machine, vcpu, at, type, valueLo, valueHi, preserve);
    case PGT.writable:
      machine.memory.writeHalves(at, valueLo, valueHi);
      return 0;
    case PGT.none:
      if (getPageType(machine, vcpu, mfn, PGT.writable) !== 0) return -ERRNO.EINVAL;
      machine.memory.writeHalves(at, valueLo, valueHi);
      putPageType(machine, vcpu, mfn);
      return 0;
    default:
      return -ERRNO.EINVAL;
  }
};

const tableEntry = (...args: Parameters<typeof modTableEntry>): number => {
  const answer = modTableEntry(...args);
  if (answer === 0) tableChanged = true;
  return answer;
};

const mayUse = (machine: Machine, vcpu: Vcpu, domid: number): boolean => {
  const target = machine.domainById(domid);
  return target ? isTargetOrPrivileged(vcpu.domain, target) : vcpu.domain.privileged;
};
/** Device memory may be named by anybody: its mapping is checked frame by frame. */
const mayUsePages = (machine: Machine, vcpu: Vcpu): boolean => owners.page === DOMID.IO || mayUse(machine, vcpu, owners.page);

const machphys = (machine: Machine, vcpu: Vcpu, ptrLo: number, ptrHi: number, pfnLo: number, pfnHi: number): number => {
  if (owners.table !== vcpu.domain.domid || !mayUsePages(machine, vcpu)) return -ERRNO.EPERM;
  const mfn = frameOfAddress(ptrLo, ptrHi);
  if (!ownsPage(machine.frames, mfn, owners.page)) return -ERRNO.EINVAL;
  setM2p(machine, mfn, pfnLo, pfnHi);
  return 0;
};
