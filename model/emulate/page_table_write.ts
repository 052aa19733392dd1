/** A guest kernel's write to a page table that it maps read-only. Chapter: spec/chapters/trap.md, "Page-table writes". */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { domainOf, frame, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { ACCESS, walk } from '../memory/translate.ts';
import type { Word } from '../word/word.ts';

/** Emulate the write to `address`, or null when the fault is the guest's own affair. */
export const emulatePageTableWrite = (machine: Machine, at: VcpuRef, address: Word): Machine | null => {
  const { vmAssist } = domainOf(machine, at.domid);
  if ((vmAssist & (1n << BigInt(VMASST_TYPE.writable_pagetables))) === 0n) return null;
  const found = walk(machine.memory, vcpuOf(machine, at).cpu.segments.root, address, ACCESS.READ);
  if (found.kind !== 'mapped') return null;
  const target = frame(machine, found.frame);
  if (target?.owner !== at.domid || target.type !== 'l1' || target.typeRefs === 0) return null;
  throw new NotModelled('emulation/ptwr');
};
