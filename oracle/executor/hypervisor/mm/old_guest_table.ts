/** Dropping the page table that an earlier call left for later. */
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { putPage } from './page.ts';
import { putPageType } from './page_type.ts';

export const hasOldGuestTable = (vcpu: Vcpu): boolean => vcpu.oldGuestTable >= 0;

/** Every call that may leave a table begins with this. */
export const putOldGuestTable = (machine: Machine, vcpu: Vcpu): void => {
  const table = vcpu.oldGuestTable;
  if (table < 0) return;
  putPageType(machine, vcpu, table, vcpu.oldGuestTablePartial, vcpu.oldGuestPtpg);
  putPage(machine.frames, table);
  vcpu.oldGuestTable = -1;
  vcpu.oldGuestPtpg = -1;
  vcpu.oldGuestTablePartial = true;
};
