/** Giving back page tables later: Xen lets the vCPU come back for it, because a whole tree may take long. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import type { OldGuestTable } from '../vcpu.ts';
import { putPageAndTable } from './table_entry.ts';
import { allow, type Verdict } from './verdict.ts';

/** What the vCPU has still to give back. */
export const oldTableOf = (machine: Machine, at: VcpuRef): OldGuestTable | null => vcpuOf(machine, at).oldGuestTable;

/** Put off giving back a table; the reference and the use stay held until then. */
export const deferPut = (machine: Machine, at: VcpuRef, oldGuestTable: OldGuestTable): Machine =>
  updateVcpu(machine, at, { oldGuestTable });

/** The failed validation of this very frame is still to be undone, so what was taken for it stays held. */
export const isDeferred = (machine: Machine, at: VcpuRef, mfn: number): boolean => oldTableOf(machine, at)?.mfn === mfn;

/** Give back what `of` put off; `current` is the vCPU at work. ERESTART: it is not done yet. */
export const putOldGuestTable = (machine: Machine, current: VcpuRef, of = current): Verdict => {
  const old = oldTableOf(machine, of);
  if (!old) return allow(machine);
  const put = putPageAndTable(cite(machine, 'mmu/deferred'), current, old.mfn, old);
  return { ...put, machine: updateVcpu(put.machine, of, { oldGuestTable: put.errno ? { ...old, partial: true } : null }) };
};

/** Give back a use and a reference now, or what is left of them when `current` comes back (ERESTART). */
export const putOrDefer = (machine: Machine, current: VcpuRef, mfn: number): Verdict => {
  const put = putPageAndTable(machine, current, mfn);
  return put.errno ? { ...put, machine: deferPut(put.machine, current, { mfn, table: null, partial: true }) } : put;
};
