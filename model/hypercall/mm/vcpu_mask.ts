/** Masks of vCPUs that flushes take: one 64-bit word for each 64 vCPUs. */
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { addInt, bit, type Word } from '../../word/word.ts';

/** The numbers of the vCPUs in a mask; `null` when it cannot be read. */
export const readVcpuMask = (
  machine: Machine,
  caller: VcpuRef,
  mask: Word,
): { readonly machine: Machine; readonly vcpus: ReadonlySet<number> | null } => {
  const vcpus = new Set<number>();
  const words = Math.ceil(domainOf(machine, caller.domid).vcpus.length / 64);
  let m = machine;
  for (let i = 0; i < words; i++) {
    const read = copyFromGuest(m, caller, addInt(mask, 8 * i), 8);
    if (!read.ok) return { machine: read.machine, vcpus: null };
    m = read.machine;
    const bits = wordIn(read.bytes, 0);
    for (let n = 0; n < 64; n++) if (bit(bits, n)) vcpus.add(64 * i + n);
  }
  return { machine: m, vcpus };
};
