/** Base pointers: the vCPU's top-level page tables for kernel and user mode. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { fillM2pSlot, isM2pStrict, zapM2pSlot } from '../../page_type/l4_slots.ts';
import { putOldGuestTable } from '../../page_type/old_table.ts';
import { getPageAndType, putPageAndType } from '../../page_type/references.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';

/** MMUEXT_NEW_BASEPTR. The caller is in kernel mode, so the new table is in force at once. */
export const newBaseptr = (before: Machine, caller: VcpuRef, mfn: number): Verdict => {
  const machine = putOldGuestTable(before);
  const { kernelTable: old, cpu } = vcpuOf(machine, caller);
  if (mfn === old) return allow(cite(machine, 'mmu/new_baseptr-same'));
  const taken = getPageAndType(machine, caller.domid, mfn, 'l4');
  if (taken.errno) return refuse(taken.machine, taken.errno, 'mmu/new_baseptr-table');

  const shown = isM2pStrict(taken.machine, caller.domid) ? taken.machine : fillM2pSlot(taken.machine, mfn);
  const set = updateVcpu(shown, caller, { kernelTable: mfn, cpu: { ...cpu, segments: { ...cpu.segments, root: mfn } } });
  return allow(cite(putPageAndType(set, old), 'mmu/new_baseptr-done'));
};

/** MMUEXT_NEW_USER_BASEPTR. */
export const newUserBaseptr = (machine: Machine, caller: VcpuRef, mfn: number): Verdict => {
  const { userTable: old } = vcpuOf(machine, caller);
  if (mfn === old) return allow(cite(machine, 'mmu/new_baseptr-same'));
  if (mfn === 0) return allow(cite(release(updateVcpu(machine, caller, { userTable: 0 }), old), 'mmu/new_user_baseptr-none'));

  const taken = getPageAndType(machine, caller.domid, mfn, 'l4');
  if (taken.errno) return refuse(taken.machine, taken.errno, 'mmu/new_baseptr-table');
  const hidden = isM2pStrict(taken.machine, caller.domid) ? zapM2pSlot(taken.machine, mfn) : taken.machine;
  return allow(cite(release(updateVcpu(hidden, caller, { userTable: mfn }), old), 'mmu/new_user_baseptr-done'));
};

const release = (machine: Machine, old: number): Machine => (old === 0 ? machine : putPageAndType(machine, old));
