/** Finding the read-only mapping that a guest kernel tried to write through. */
import type { VcpuRef } from '#spec/event.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { ACCESS, type Walk, walk } from '../memory/translate.ts';
import { isWritable } from '../page_type/pte.ts';
import type { Word } from '../word/word.ts';

/** The walk to the page at `address`, whose level 1 entry lacks RW; null when there is none, or that was not the reason. */
export const readOnlyMapping = (machine: Machine, at: VcpuRef, address: Word): Extract<Walk, { kind: 'mapped' }> | null => {
  const found = walk(machine.memory, vcpuOf(machine, at).cpu.segments.root, address, ACCESS.READ);
  return found.kind === 'mapped' && found.used.length === 4 && !isWritable(found.used[3].entry) ? found : null;
};
