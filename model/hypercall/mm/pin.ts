/** Pinning: a page table stays validated while nothing uses it. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { frame, updateFrame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { deferPut, isDeferred, putOrDefer } from '../../page_type/old_table.ts';
import { isCounted, ownerOf } from '../../page_type/owner.ts';
import type { Level } from '../../page_type/pte.ts';
import { getPage, putPage } from '../../page_type/references.ts';
import { putPageAndTable } from '../../page_type/table_entry.ts';
import { getTableType } from '../../page_type/table_type.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';

/** MMUEXT_PIN_L1_TABLE .. MMUEXT_PIN_L4_TABLE. */
export const pin = (machine: Machine, caller: VcpuRef, domid: number, mfn: number, level: Level): Verdict => {
  const held = getPage(machine, domid, mfn);
  if (held.errno) return refuse(held.machine, 'EINVAL', 'mmu/pin-page');
  const used = getTableType(held.machine, caller, mfn, level);
  if (used.errno === 'ERESTART') return { ...used, machine: putPage(used.machine, mfn) };
  if (used.errno)
    return refuse(isDeferred(used.machine, caller, mfn) ? used.machine : putPage(used.machine, mfn), used.errno, 'mmu/pin-type');
  if (frame(used.machine, mfn)!.pinned) return refuse(drop(used.machine, caller, mfn, level), 'EINVAL', 'mmu/pin-again');
  return allow(cite(updateFrame(used.machine, mfn, { pinned: true }), 'mmu/pin-done'));
};

/** Give back what a pin that was refused took: at once for level 1, later for the others. */
const drop = (machine: Machine, caller: VcpuRef, mfn: number, level: Level): Machine =>
  level === 1 ? putPageAndTable(machine, caller, mfn).machine : deferPut(machine, caller, { mfn, table: null, partial: false });

/** MMUEXT_UNPIN_TABLE. It is done even if the table cannot be given back at once. */
export const unpin = (machine: Machine, caller: VcpuRef, domid: number, mfn: number): Verdict => {
  if (ownerOf(machine, mfn) !== domid) return refuse(machine, 'EINVAL', 'mmu/unpin-page');
  if (!isCounted(machine, mfn) || !frame(machine, mfn)!.pinned) return refuse(machine, 'EINVAL', 'mmu/unpin-unpinned');
  const loose = updateFrame(machine, mfn, { pinned: false });
  return allow(cite(putOrDefer(loose, caller, mfn).machine, 'mmu/unpin-done'));
};
