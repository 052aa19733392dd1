/** Reading the bitmap of vCPUs that a flush is meant for. Nobody sees stale translations here, so that only its faults matter. */
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const WORD_BITS = 64;

/** False when the bitmap cannot be read: one word for every 64 vCPUs, up to the first bit beyond the domain's vCPUs. */
export const readVcpumask = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  const count = vcpu.domain.vcpus.length;
  for (let bias = 0, at = lo >>> 0; bias < count; bias += WORD_BITS, at += 8) {
    if (!copyFromGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, 8)) return false;
    if (highestBit() + bias >= count) return true;
  }
  return true;
};

const highestBit = (): number => {
  const hi = scratch.getUint32(4, true);
  return hi !== 0 ? 63 - Math.clz32(hi) : 31 - Math.clz32(scratch.getUint32(0, true));
};
