/** #PF of a guest: a store to an L1 table that Xen carries out, one to a device that it passes over, or the guest's own fault. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectPageFault } from './inject.ts';
import { dropReadOnlyStore } from './read_only_mmio.ts';
import { emulateTableWrite } from './table_write.ts';

const ERROR = { PRESENT: 1, WRITE: 2, RESERVED: 8, FETCH: 16 } as const;

/** Xen has been entered; RIP is at the instruction. */
export const handlePageFault = (machine: Machine, vcpu: Vcpu, error: number, lo: number, hi: number): void => {
  if (mayBeEmulated(vcpu, error, hi) && (emulateTableWrite(machine, vcpu, lo, hi) || dropReadOnlyStore(machine, vcpu, lo, hi))) return;
  injectPageFault(machine, vcpu, error, lo, hi);
};

/** Writes by a kernel to a present page, outside Xen's range; dom0 always, others with the assist. */
const mayBeEmulated = (vcpu: Vcpu, error: number, hi: number): boolean => {
  if (!vcpu.kernelMode || (error & (ERROR.RESERVED | ERROR.FETCH)) !== 0) return false;
  if ((error & (ERROR.WRITE | ERROR.PRESENT)) !== (ERROR.WRITE | ERROR.PRESENT)) return false;
  if (hi >>> 0 >= 0xffff8000 && hi >>> 0 < 0xffff8800) return false;
  return vcpu.domain.privileged || (vcpu.domain.vmAssist & (1 << VMASST_TYPE.writable_pagetables)) !== 0;
};
