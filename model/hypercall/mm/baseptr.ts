/** Base pointers: the vCPU's top-level page tables for kernel and user mode. */
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import { unmapLdt } from '../../descriptor_tables.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { fillM2pSlot, isM2pStrict, zapM2pSlot } from '../../page_type/l4_slots.ts';
import { putOldGuestTable, putOrDefer } from '../../page_type/old_table.ts';
import { entryFor, PTE } from '../../page_type/pte.ts';
import { getPageAndTable } from '../../page_type/table_entry.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { flushLocal } from '../../tlb.ts';
import { modTableEntry } from './mod_entry.ts';

/**
 * MMUEXT_NEW_BASEPTR. The caller is in kernel mode, so the new table is in force at once, also when the old one cannot be given
 * back yet (ERESTART).
 */
export const newBaseptr = (before: Machine, caller: VcpuRef, mfn: number): Verdict => {
  if (domainOf(before, caller.domid).pv32) return newCompatBaseptr(before, caller, mfn);
  const settled = putOldGuestTable(before, caller);
  if (settled.errno) return settled;
  const { machine } = settled;
  const { kernelTable: old, cpu } = vcpuOf(machine, caller);
  if (mfn === old) return allow(flushLocal(cite(machine, 'mmu/new_baseptr-same'), caller));
  const taken = getPageAndTable(machine, caller, caller.domid, mfn, 4);
  if (taken.errno === 'ERESTART') return taken;
  if (taken.errno) return refuse(taken.machine, taken.errno, 'mmu/new_baseptr-table');

  const shown = isM2pStrict(taken.machine, caller.domid) ? taken.machine : fillM2pSlot(taken.machine, mfn);
  const set = updateVcpu(unmapLdt(shown, caller), caller, { kernelTable: mfn, cpu: { ...cpu, segments: { ...cpu.segments, root: mfn } } });
  return release(flushLocal(cite(cite(set, 'mmu/new_baseptr-done'), 'tlb/base_pointer'), caller), caller, old);
};

/** compat/new_baseptr: the L3 goes into the first entry of the vCPU's L4, which is Xen's. The old one is given back later. */
const newCompatBaseptr = (machine: Machine, caller: VcpuRef, mfn: number): Verdict => {
  const { kernelTable, cpu } = vcpuOf(machine, caller);
  const entry = entryFor(mfn, PTE.P | PTE.RW | PTE.US | PTE.A, 0);
  const place = { mfn: kernelTable, index: 0 };
  const put = modTableEntry(
    cite(machine, 'compat/new_baseptr'),
    place,
    entry,
    { level: 4, domid: caller.domid, current: caller },
    'replace',
  );
  if (put.errno) return put;
  const set = updateVcpu(unmapLdt(put.machine, caller), caller, { cpu: { ...cpu, segments: { ...cpu.segments, root: kernelTable } } });
  return allow(flushLocal(cite(set, 'tlb/base_pointer'), caller));
};

/** MMUEXT_NEW_USER_BASEPTR. */
export const newUserBaseptr = (machine: Machine, caller: VcpuRef, mfn: number): Verdict => {
  if (domainOf(machine, caller.domid).pv32) throw new ModelBug('new_user_baseptr of a 32-bit domain is refused ahead of its element');
  const { userTable: old } = vcpuOf(machine, caller);
  if (mfn === old) return allow(cite(machine, 'mmu/new_baseptr-same'));
  if (mfn === 0) return release(cite(updateVcpu(machine, caller, { userTable: 0 }), 'mmu/new_user_baseptr-none'), caller, old);

  const taken = getPageAndTable(machine, caller, caller.domid, mfn, 4);
  if (taken.errno === 'ERESTART') return taken;
  if (taken.errno) return refuse(taken.machine, taken.errno, 'mmu/new_baseptr-table');
  const hidden = isM2pStrict(taken.machine, caller.domid) ? zapM2pSlot(taken.machine, mfn) : taken.machine;
  return release(cite(updateVcpu(hidden, caller, { userTable: mfn }), 'mmu/new_user_baseptr-done'), caller, old);
};

const release = (machine: Machine, caller: VcpuRef, old: number): Verdict =>
  old === 0 ? allow(machine) : putOrDefer(machine, caller, old);
