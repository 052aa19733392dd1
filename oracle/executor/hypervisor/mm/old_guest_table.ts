/** Dropping the page table that an earlier call left for later. */
import { ERRNO } from '#spec/abi/errno.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { putPage } from './page.ts';
import { putPageType } from './page_type.ts';

export const hasOldGuestTable = (vcpu: Vcpu): boolean => vcpu.oldGuestTable >= 0;

/** Every call that may leave a table begins with this. `holder`: whose table. Answers 0, or -ERESTART: `caller` was interrupted. */
export const putOldGuestTable = (machine: Machine, caller: Vcpu, holder: Vcpu = caller): number => {
  const table = holder.oldGuestTable;
  if (table < 0) return 0;
  const answer = putPageType(machine, caller, table, holder.oldGuestTablePartial, holder.oldGuestPtpg);
  if (answer === -ERRNO.ERESTART) {
    holder.oldGuestTablePartial = true;
    return answer;
  }
  putPage(machine.frames, table);
  holder.oldGuestTable = -1;
  holder.oldGuestPtpg = -1;
  holder.oldGuestTablePartial = true;
  return 0;
};

/** Leave `table`, which is referred to by no other table, for later. `partial`: giving it back was interrupted. */
export const leaveOldGuestTable = (holder: Vcpu, table: number, partial: boolean): void => {
  holder.oldGuestTable = table;
  holder.oldGuestTablePartial = partial;
  holder.oldGuestPtpg = -1;
};
