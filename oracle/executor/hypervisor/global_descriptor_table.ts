/** The guest's part of a vCPU's GDT: frames whose type is kept by a reference for each. */
import { DESCRIPTORS_PER_PAGE, GUEST_GDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { PGT } from './frame_table.ts';
import type { Machine } from './machine.ts';
import { getPageAndType, putPageAndType } from './mm/page_type.ts';
import { minus } from './result.ts';
import type { Vcpu } from './vcpu.ts';

/** Pages that hold so many descriptors. */
export const gdtPages = (entries: number): number => Math.ceil(entries / DESCRIPTORS_PER_PAGE);

/** Replace the table of `target`; a refused one leaves what there was. `caller` is on whose behalf Xen works. Answers 0 or -EINVAL. */
export const setGdt = (machine: Machine, caller: Vcpu, target: Vcpu, frames: readonly number[], entries: number): number => {
  if (entries > GUEST_GDT_ENTRIES) return minus('EINVAL');
  for (let i = 0; i < frames.length; i++) {
    if (getPageAndType(machine, caller, frames[i]!, PGT.seg_desc, target.domain.domid) === 0) continue;
    for (const taken of frames.slice(0, i).reverse()) putPageAndType(machine, caller, taken);
    return minus('EINVAL');
  }
  destroyGdt(machine, caller, target);
  target.cpu.tables.gdt.set(frames);
  target.gdtEntries = entries;
  return 0;
};

/** Give back the guest's pages. */
export const destroyGdt = (machine: Machine, caller: Vcpu, target: Vcpu): void => {
  const { gdt } = target.cpu.tables;
  for (const old of gdt) if (old !== 0) putPageAndType(machine, caller, old);
  gdt.fill(0);
  target.gdtEntries = 0;
};
