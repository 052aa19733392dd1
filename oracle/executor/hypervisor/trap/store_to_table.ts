/** One store of Xen's emulator to the L1 table that a guest kernel maps read-only. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DB } from '../../cpu/exit.ts';
import { guestToMachine } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { ptwrFits, ptwrWrite } from '../mm/ptwr.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException } from './inject.ts';

export const ENTRY_BYTES = 8;

/** The frame of the table, and the address of the fault. */
export type TableFault = { readonly table: number; readonly lo: number; readonly hi: number };
/** `size` bytes from the start of `value`, which has room for an entry; `exchanges`: for what was there. */
export type TableStore = {
  readonly lo: number;
  readonly hi: number;
  readonly size: number;
  readonly value: DataView;
  readonly exchanges?: boolean;
};

/**
 * Only an aligned write within one entry, in the page of the fault, is one. The rest of the entry is read through the guest's mapping, which
 * counts as an access (`reads`; what changes an operand has read it anyway). False: nothing is stored, and the fault is the guest's.
 */
export const storeToTable = (machine: Machine, vcpu: Vcpu, fault: TableFault, store: TableStore, reads: boolean): boolean => {
  const { lo, hi, size, value, exchanges = false } = store;
  const at = fault.table * 4096 + (lo & 0xfff);
  if (hi !== fault.hi || (lo ^ fault.lo) >>> 12 !== 0 || !ptwrFits(at, size)) return false;
  if (reads && size < ENTRY_BYTES) guestToMachine(machine, vcpu, lo & ~7, hi, false);
  return ptwrWrite(machine, vcpu, at, size, value.getInt32(0, true), value.getInt32(4, true), exchanges);
};

/** The instruction is done: it is told, and single-stepping goes on. */
export const finishStore = (machine: Machine, vcpu: Vcpu): void => {
  machine.emit({ kind: 'emulated', at: vcpu.ref, instruction: 'ptwr' });
  if ((vcpu.savedFlags.lo & RFLAGS.TF) !== 0) injectException(vcpu, DB, -1);
};
