/**
 * GNTTABOP_unmap_grant_ref and GNTTABOP_unmap_and_replace: elements of the batch one by one, and the references that they leave to be
 * dropped together.
 */
import { GNTMAP, GNTST, gnttab } from '#spec/abi/grant_table.ts';
import { scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { isIoFrame } from '../mm/io_memory.ts';
import { putPage } from '../mm/page.ts';
import { putPageType } from '../mm/page_type.ts';
import { domainCrash } from '../shutdown.ts';
import type { Vcpu } from '../vcpu.ts';
import { reduceStatus } from './grant_entry.ts';
import { count } from './map_grant_ref.ts';
import { replaceMapping } from './pv_mapping.ts';

/** Elements whose references are dropped together. */
export const BATCH = 32;
const { fields } = gnttab.unmap_grant_ref;
const REPLACE = gnttab.unmap_and_replace.fields;

/** What the elements of the batch at work have ended: GNTMAP flags (0: nothing), granting domain, reference. */
const doneFlags = new Uint8Array(BATCH);
const doneDomid = new Uint16Array(BATCH);
const doneRef = new Uint32Array(BATCH);

/** The element in the scratch buffer, number `slot` of its batch. Answers its status. */
export const unmapGrantRef = (machine: Machine, vcpu: Vcpu, slot: number): number => {
  const busLo = scratch.getInt32(fields.dev_bus_addr.at, true);
  const busHi = scratch.getInt32(fields.dev_bus_addr.at + 4, true);
  return unmap(machine, vcpu, slot, scratch.getUint32(fields.handle.at, true), busLo, busHi, 0, 0);
};

/** The same of the other operation: the entry at `new_addr` moves to where the mapping was. It has no address of a device. */
export const unmapAndReplace = (machine: Machine, vcpu: Vcpu, slot: number): number => {
  const newLo = scratch.getInt32(REPLACE.new_addr.at, true);
  const newHi = scratch.getInt32(REPLACE.new_addr.at + 4, true);
  return unmap(machine, vcpu, slot, scratch.getUint32(REPLACE.handle.at, true), 0, 0, newLo, newHi);
};

const unmap = (
  machine: Machine,
  vcpu: Vcpu,
  slot: number,
  handle: number,
  busLo: number,
  busHi: number,
  newLo: number,
  newHi: number,
): number => {
  doneFlags[slot] = 0;
  const { maptrack } = vcpu.domain.grants;
  if (handle >= maptrack.limit || maptrack.flags[handle] === 0) return GNTST.bad_handle;
  const flags = maptrack.flags[handle];
  const ref = maptrack.ref[handle];
  const domid = maptrack.domid[handle];
  const granter = machine.domainById(domid);
  if (!granter) {
    // It is gone, with a mapping that the caller had overwritten.
    domainCrash(machine, vcpu.domain, 'other');
    return GNTST.okay;
  }
  const active = granter.grants.active.get(ref)!;
  const device = (busLo | busHi) !== 0 && (flags & GNTMAP.device_map) !== 0;
  const isFrame = busLo === active.mfn << 12 && busHi === active.mfn >>> 20;
  if (machine.ways['unmap-bus_address'] === 'of any mapping') {
    if ((busLo | busHi) !== 0 && !isFrame) return GNTST.general_error;
  } else if (device && !isFrame) return GNTST.bad_dev_addr;
  // Both structures have it at the same place.
  const hostLo = scratch.getInt32(fields.host_addr.at, true);
  const hostHi = scratch.getInt32(fields.host_addr.at + 4, true);
  let ended = 0;
  if ((hostLo | hostHi) !== 0 && (flags & GNTMAP.host_map) !== 0) {
    if (!replaceMapping(machine, vcpu, hostLo, hostHi, active.mfn, newLo, newHi, flags)) return GNTST.general_error;
    ended |= GNTMAP.host_map;
  }
  if (device) ended |= GNTMAP.device_map;
  doneFlags[slot] = ended === 0 ? 0 : ended | (flags & GNTMAP.readonly);
  doneDomid[slot] = domid;
  doneRef[slot] = ref;
  maptrack.flags[handle] = flags & ~ended;
  if ((maptrack.flags[handle] & (GNTMAP.host_map | GNTMAP.device_map)) === 0) {
    maptrack.flags[handle] = 0;
    maptrack.put(handle);
  }
  return GNTST.okay;
};

/** Drop what element `slot` has ended. */
export const completeUnmap = (machine: Machine, vcpu: Vcpu, slot: number): void => {
  const flags = doneFlags[slot];
  if (flags === 0) return;
  const granter = machine.domainById(doneDomid[slot])!;
  const ref = doneRef[slot];
  const active = granter.grants.active.get(ref)!;
  const readonly = (flags & GNTMAP.readonly) !== 0;
  for (const kind of [GNTMAP.device_map, GNTMAP.host_map]) {
    if ((flags & kind) === 0 || isIoFrame(machine.frames, active.mfn)) continue;
    if (!readonly) putPageType(machine, vcpu, active.mfn);
    putPage(machine.frames, active.mfn);
  }
  count(active, flags, -1);
  reduceStatus(machine, granter, ref, active, readonly);
  if (!active.isPinned()) granter.grants.active.delete(ref);
};
