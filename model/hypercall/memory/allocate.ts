/** Giving a domain memory. Chapter: spec/chapters/memory_op.md. */
import { MAX_NUMNODES, NUMA_NO_NODE, XENMEMF } from '#spec/abi/memory.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Domain } from '../../domain.ts';
import { cite } from '../../journal.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { adjustPages, assignFrames, findFree, takenInVain } from '../../page_type/allocation.ts';
import { isControlDomain } from '../domids.ts';

/** Where an extent may lie: below frame `limit`, and whether in a node that does not exist. */
export type Where = { readonly limit: number; readonly nowhere: boolean };

const PAGE_SHIFT = 12;
/** Frames below 2^(bits - 12); Xen's lowest zone has the first two. */
export const limitOf = (bits: number): number => (bits === 0 ? Number.POSITIVE_INFINITY : 2 ** Math.max(1, bits - PAGE_SHIFT));

/** Bits that an address of the machine's memory has, as Xen rounds them. */
export const machineBits = (machine: Machine): number => Math.ceil(Math.log2(machine.config.frames)) + PAGE_SHIFT;

/** The node that flags name: whether the caller may name it so, and whether only nodes that do not exist are left. */
export const nodeOf = (caller: VcpuRef, flags: number): { readonly allowed: boolean; readonly nowhere: boolean } => {
  const node = ((flags >>> XENMEMF.node_shift) - 1) & NUMA_NO_NODE;
  const exactly = (flags & XENMEMF.exact_node_request) !== 0;
  if (node === NUMA_NO_NODE) return { allowed: true, nowhere: false };
  if (!isControlDomain(caller)) return { allowed: !exactly, nowhere: false };
  return { allowed: node < MAX_NUMNODES, nowhere: exactly && node !== 0 };
};

/** The same of a domain's virtual node (`memory/vnuma-reservation`). */
export const virtualNodeOf = ({ virtualNodes }: Domain, flags: number): { readonly allowed: boolean; readonly nowhere: boolean } => {
  if (!virtualNodes) return { allowed: true, nowhere: false };
  const physical = virtualNodes.physical[((flags >>> XENMEMF.node_shift) - 1) & NUMA_NO_NODE];
  if (physical === undefined) return { allowed: false, nowhere: false };
  return { allowed: true, nowhere: (flags & XENMEMF.exact_node_request) !== 0 && physical !== 0 };
};

/** Frames that a request could not have: those that domains have claimed, unless the claim is as large and is the asker's own. */
const isClaimed = (machine: Machine, count: number, ownClaim: number): boolean => {
  const claims = machine.domains.reduce((sum, { claimed }) => sum + claimed, 0);
  return claims + count > machine.freeFrames && ownClaim < count;
};

/** A run of free frames that may be handed out; null when there is none. */
export const freeRun = (machine: Machine, order: number, { limit, nowhere }: Where, ownClaim: number): number | null =>
  isClaimed(machine, 2 ** order, ownClaim) || nowhere ? null : findFree(machine, order, limit);

/** Allocate an extent for a domain. */
export const allocate = (
  machine: Machine,
  domid: number,
  order: number,
  where: Where,
): { readonly machine: Machine; readonly mfn: number | null } => {
  const count = 2 ** order;
  const { pages, maxPages, claimed, dying } = domainOf(machine, domid);
  if (isClaimed(machine, count, claimed)) return { machine: cite(machine, 'memory/allocate-claimed'), mfn: null };
  const mfn = freeRun(machine, order, where, claimed);
  if (mfn === null) return { machine: cite(machine, 'memory/allocate-none'), mfn };
  if (dying || pages + count > maxPages) return { machine: takenInVain(cite(machine, 'memory/allocate-limit'), mfn, count), mfn: null };
  return { machine: cite(adjustPages(assignFrames(machine, domid, mfn, count), domid, count), 'memory/allocate'), mfn };
};
