/** Flushes of translations and caches: nothing of them can be seen but their checks. */
import type { Errno } from '#spec/abi/errno.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { mayUseDevices } from '../../page_type/owner.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import type { Operands } from './mmuext_op.ts';
import { readVcpuMask } from './vcpu_mask.ts';

/** MMUEXT_TLB_FLUSH_LOCAL, _ALL, MMUEXT_INVLPG_LOCAL, _ALL. */
export const flush = (machine: Machine): Verdict => allow(cite(machine, 'mmu/flush-done'));

/** MMUEXT_TLB_FLUSH_MULTI, MMUEXT_INVLPG_MULTI: on the vCPUs of a mask in guest memory. */
export const flushMulti = (machine: Machine, { caller, arg2 }: Operands): Verdict => {
  const mask = readVcpuMask(machine, caller, arg2);
  return mask.ok ? flush(mask.machine) : refuse(mask.machine, 'EINVAL', 'mmu/flush-mask');
};

/** MMUEXT_FLUSH_CACHE, MMUEXT_FLUSH_CACHE_GLOBAL: for domains with devices only. */
export const flushCache =
  (errno: Errno) =>
  (machine: Machine, { caller }: Operands): Verdict =>
    mayUseDevices(caller.domid) ? flush(machine) : refuse(machine, errno, 'mmu/flush_cache-permission');
