/** Giving back page tables later: Xen lets the caller come back for it, because a whole tree may take long. */
import { cite } from '../journal.ts';
import { frame } from '../lens.ts';
import type { Machine, OldGuestTable } from '../machine.ts';
import { putPage } from './references.ts';
import { putPageType, putPartialType } from './type.ts';

/** Put off giving back a table; the reference and the use stay held until then. */
export const deferPut = (machine: Machine, old: OldGuestTable): Machine => ({ ...machine, oldGuestTable: old });

/** The failed validation of this very frame is still to be undone, so what was taken for it stays held. */
export const isDeferred = (machine: Machine, mfn: number): boolean => machine.oldGuestTable?.mfn === mfn;

/** Give back what was put off. */
export const putOldGuestTable = (machine: Machine): Machine => {
  const old = machine.oldGuestTable;
  if (!old) return machine;
  const m = cite({ ...machine, oldGuestTable: null }, 'mmu/deferred');
  return putPage(old.partial ? undoPartial(m, old.mfn) : putPageType(m, old.mfn, old.table), old.mfn);
};

/** End a validation that stopped half way, if it did. */
export const undoPartial = (machine: Machine, mfn: number): Machine =>
  frame(machine, mfn)!.partial ? putPage(putPartialType(machine, mfn), mfn) : machine;
