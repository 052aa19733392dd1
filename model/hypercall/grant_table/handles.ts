/** Handles of a domain's grant mappings, and the order in which Xen gives them out (`gnttab/handle-next`). */
import { NotModelled } from '#spec/failure.ts';
import type { GrantTable, Maptrack } from '../../domain.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';

/** Handles in one frame of the table that maps handles to mappings. */
const PER_FRAME = 256;

export const grantsOf = (machine: Machine, domid: number): GrantTable => domainOf(machine, domid).grants;

export const updateGrants = (machine: Machine, domid: number, change: Partial<GrantTable>): Machine =>
  updateDomain(machine, domid, { grants: { ...grantsOf(machine, domid), ...change } });

/** The mapping behind a handle; null when the handle names none. */
export const mappingAt = (machine: Machine, domid: number, handle: number): Maptrack | null =>
  grantsOf(machine, domid).maptrack[handle] ?? null;

export const setMapping = (machine: Machine, domid: number, handle: number, mapping: Maptrack | null): Machine =>
  updateGrants(machine, domid, { maptrack: grantsOf(machine, domid).maptrack.with(handle, mapping) });

export type Handed = { readonly machine: Machine; readonly handle: number | null };

/** Take the next handle for a vCPU. Xen never hands out the last of a list, so that returning one is cheap. */
export const takeHandle = (machine: Machine, domid: number, vcpu: number): Handed => {
  const free = grantsOf(machine, domid).freeHandles[vcpu] ?? [];
  if (free.length > 1) return { machine: setFree(machine, domid, vcpu, free.slice(1)), handle: free[0] };
  return takeFresh(machine, domid, vcpu, free);
};

const takeFresh = (machine: Machine, domid: number, vcpu: number, left: readonly number[]): Handed => {
  const { handleOwners, maptrack } = grantsOf(machine, domid);
  if (handleOwners.length >= machine.config.xen.max_maptrack_frames) return noneLeft(machine, domid);
  const first = handleOwners.length * PER_FRAME;
  const rest = Array.from({ length: PER_FRAME - 1 }, (_, i) => first + 1 + i);
  const grown = updateGrants(machine, domid, {
    handleOwners: [...handleOwners, vcpu],
    maptrack: [...maptrack, ...new Array<null>(PER_FRAME).fill(null)],
  });
  return { machine: setFree(grown, domid, vcpu, [...rest, ...left]), handle: first };
};

/** Another vCPU's handle would be taken, of a vCPU chosen by chance. */
const noneLeft = (machine: Machine, domid: number): Handed => {
  if (domainOf(machine, domid).vcpus.length > 1) throw new NotModelled('grant_table_op/steal_handle');
  return { machine, handle: null };
};

/** Give a handle back: it goes to the end of the list that it came from. */
export const returnHandle = (machine: Machine, domid: number, handle: number): Machine => {
  const { handleOwners, freeHandles } = grantsOf(machine, domid);
  const vcpu = handleOwners[Math.floor(handle / PER_FRAME)];
  return setFree(setMapping(machine, domid, handle, null), domid, vcpu, [...(freeHandles[vcpu] ?? []), handle]);
};

const setFree = (machine: Machine, domid: number, vcpu: number, free: readonly number[]): Machine => {
  const { freeHandles } = grantsOf(machine, domid);
  const count = Math.max(freeHandles.length, vcpu + 1);
  const lists = Array.from({ length: count }, (_, i) => (i === vcpu ? free : (freeHandles[i] ?? [])));
  return updateGrants(machine, domid, { freeHandles: lists });
};
