/** MMUEXT_SET_LDT: an empty local descriptor table, or Xen's refusal of a bad one. */
import { addressOk } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { notModelled } from '../not_modelled.ts';
import type { Operands } from './mmuext_op.ts';

const MOST_ENTRIES = 8192;

export const setLdt = (machine: Machine, { caller, arg1, arg2 }: Operands): Verdict => {
  const entries = arg2.lo >>> 0;
  if (entries > MOST_ENTRIES || (entries > 0 && ((arg1.lo & 0xfff) !== 0 || !addressOk(arg1))))
    return refuse(machine, 'EINVAL', 'mmu/set_ldt-arguments');
  if (entries > 0) return { machine: notModelled(machine, caller, 'mmuext_op/set_ldt').machine, errno: 'ENOSYS' };
  return allow(cite(machine, 'mmu/set_ldt-empty'));
};
