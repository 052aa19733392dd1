/** Masks of vCPUs that flushes take: one 64-bit word for each 64 vCPUs. Only whether they can be read matters here. */
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { addInt, type Word } from '../../word/word.ts';

export const readVcpuMask = (machine: Machine, caller: VcpuRef, mask: Word): { readonly machine: Machine; readonly ok: boolean } => {
  const words = Math.ceil(domainOf(machine, caller.domid).vcpus.length / 64);
  let m = machine;
  for (let i = 0; i < words; i++) {
    const read = copyFromGuest(m, caller, addInt(mask, 8 * i), 8);
    if (!read.ok) return read;
    m = read.machine;
  }
  return { machine: m, ok: true };
};
