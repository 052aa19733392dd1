/** Reading the bitmap of vCPUs that a flush is meant for. */
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { dirtyCpu } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';

const WORD_BITS = 64;

/**
 * The set of pCPUs that have registers of the vCPUs in the bitmap: one word for every 64 vCPUs, up to the first bit beyond the domain's vCPUs.
 * -1 when the bitmap cannot be read.
 */
export const readVcpumask = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { vcpus } = vcpu.domain;
  let cpus = 0;
  for (let bias = 0, at = lo >>> 0; bias < vcpus.length; bias += WORD_BITS, at += 8) {
    if (!copyFromGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, 8)) return -1;
    for (let half = 0; half < 2; half++)
      for (let bits = scratch.getInt32(4 * half, true); bits !== 0; bits &= bits - 1) {
        const id = bias + 32 * half + 31 - Math.clz32(bits & -bits);
        if (id >= vcpus.length) return cpus;
        cpus |= dirtyCpu(machine, vcpus[id]);
      }
  }
  return cpus;
};
