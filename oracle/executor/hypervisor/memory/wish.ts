/** `mem_flags`: where frames are wanted. */
import { MAX_NUMNODES, NUMA_NO_NODE, XENMEMF } from '#spec/abi/memory.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import type { Wish } from './allocate.ts';

export const ANYWHERE: Wish = { limit: Number.POSITIVE_INFINITY, exactNode: -1 };

const PAGE_SHIFT = 12;

export const addressBits = (flags: number): number => flags & XENMEMF.address_bits_mask;

/** Bits that an address of the machine's memory may need. */
export const machineBits = (machine: Machine): number => Math.ceil(Math.log2(machine.config.frames)) + PAGE_SHIFT;

/** Frames below this number have addresses of so many bits; a width of less than one page and one bit is taken for that. */
export const limitOfBits = (bits: number): number => 2 ** Math.max(1, bits - PAGE_SHIFT);

/** The same where a virtual node is named; `null`: the domain has not so many. */
export const nodeBehind = ({ virtualNodes }: Domain, flags: number): number | null => {
  if (virtualNodes === null) return -1;
  const node = ((flags >>> XENMEMF.node_shift) - 1) & 0xff;
  if (node >= virtualNodes.nodes) return null;
  return (flags & XENMEMF.exact_node_request) !== 0 ? virtualNodes.real[node] : -1;
};

/** The node that has to be the one; -1 for any, `null` when the caller may not name what it names. */
export const exactNode = (privileged: boolean, flags: number): number | null => {
  const node = ((flags >>> XENMEMF.node_shift) - 1) & 0xff;
  if (node === NUMA_NO_NODE) return -1;
  const isExact = (flags & XENMEMF.exact_node_request) !== 0;
  if (privileged ? node >= MAX_NUMNODES : isExact) return null;
  return privileged && isExact ? node : -1;
};
