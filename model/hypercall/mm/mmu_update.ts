/** HYPERVISOR_mmu_update(ureqs, count, pdone, foreigndom): write page table entries, and entries of the machine-to-phys table. */
import { DOMID, mmu_update as REQUEST } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { refuse, type Verdict } from '../../page_type/verdict.ts';
import { Word } from '../../word/word.ts';
import { mayTarget } from '../domids.ts';
import { fail, type Perform } from '../result.ts';
import { batchOf, countDone, doneBefore, runBatch, settle } from './batch.ts';
import { pageOwner } from './foreign.ts';
import { machphysUpdate } from './machphys_update.ts';
import { ptUpdate, type Update } from './pt_update.ts';

export const mmu_update: Perform = (machine, caller, args) => {
  const batch = batchOf(args);
  const settled = settle(machine, caller, args);
  if ('kind' in settled) return settled;
  const { machine: m, before } = doneBefore(settled.machine, caller, batch);
  if (!arrayOk(batch.array, batch.count, REQUEST.size)) return fail(m, 'EFAULT', 'mmu/batch-array');

  const tables = tableOwner(m, caller, batch.foreigndom);
  if (tables === null) return fail(m, 'ESRCH', 'mmu/foreign-tables');
  const frames = pageOwner(m, caller, batch.foreigndom);
  if (frames === null) return fail(countDone(m, caller, batch, before), 'ESRCH', 'mmu/foreign-unknown');

  return runBatch(batch.resumed ? cite(m, 'mmu/batch-preempted') : m, caller, batch, before, {
    call: 'mmu_update',
    tables,
    size: REQUEST.size,
    command: (bytes) => bytes[0] & COMMAND,
    perform: (machine, bytes) => element(machine, caller, bytes, tables, frames),
  });
};

/** The low bits of the address, which is aligned to 8, hold the command. */
const COMMAND = 7;

/** From the high 16 bits of `foreigndom`: domid plus 1, or 0 for the caller. */
const tableOwner = (machine: Machine, caller: VcpuRef, foreigndom: number): number | null => {
  const named = foreigndom >>> 16;
  if (named === 0) return caller.domid;
  return findDomain(machine, named - 1) ? named - 1 : null;
};

const element = (machine: Machine, caller: VcpuRef, bytes: Uint8Array, tables: number, frames: number): Verdict => {
  const ptr = wordIn(bytes, 0);
  const val = wordIn(bytes, 8);
  const update: Update = { ptr: new Word(ptr.hi, ptr.lo & ~COMMAND), val, who: { tables, frames, caller: caller.domid } };
  switch (ptr.lo & COMMAND) {
    case 0:
    case 2:
    case 3:
      if (!mayUse(caller, frames) || !mayTarget(caller, tables)) return refuse(machine, 'EPERM', 'mmu/foreign-permission');
      return ptUpdate(noted(machine, ptr), caller, update, (ptr.lo & COMMAND) === 2 ? 'preserve' : 'replace');
    case 1:
      if (tables !== caller.domid) return refuse(machine, 'EPERM', 'mmu/machphys-tables');
      if (!mayUse(caller, frames)) return refuse(machine, 'EPERM', 'mmu/foreign-permission');
      return machphysUpdate(machine, update);
    default:
      return refuse(machine, 'ENOSYS', 'mmu/update-unknown');
  }
};

const noted = (machine: Machine, ptr: Word): Machine => ((ptr.lo & COMMAND) === 3 ? cite(machine, 'mmu/update-no_translate') : machine);

/** Frames of device memory may be named by anybody; what can be mapped is decided entry by entry. */
const mayUse = (caller: VcpuRef, frames: number): boolean => frames === DOMID.IO || mayTarget(caller, frames);
