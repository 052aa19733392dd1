/** MMUEXT_SET_LDT: the vCPU's local descriptor table. Chapter: spec/chapters/memory.md. */
import { MOST_LDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { setLdtOf, unmapLdt } from '../../descriptor_tables.ts';
import { addressOk } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { flushLocal } from '../../tlb.ts';
import { equal, ZERO } from '../../word/word.ts';
import type { Operands } from './mmuext_op.ts';

export const setLdt = (machine: Machine, { caller, arg1, arg2 }: Operands): Verdict => {
  const entries = arg2.lo >>> 0;
  if (entries > MOST_LDT_ENTRIES || (entries > 0 && ((arg1.lo & 0xfff) !== 0 || !addressOk(arg1))))
    return refuse(machine, 'EINVAL', 'mmu/set_ldt-arguments');
  const base = entries === 0 ? ZERO : arg1;
  const { tables } = vcpuOf(machine, caller);
  if (tables.ldtEntries === entries && equal(tables.ldtBase, base)) return allow(cite(machine, 'mmu/set_ldt-same'));
  const isMapped = tables.ldtFrames.some((mfn) => mfn !== undefined);
  const m = isMapped ? flushLocal(unmapLdt(machine, caller), caller) : machine;
  return allow(setLdtOf(cite(m, entries === 0 ? 'mmu/set_ldt-empty' : 'mmu/set_ldt-done'), caller, base, entries));
};
