/** GNTTABOP_map_grant_ref: one element of the batch, which is in the scratch buffer; results go there as well. */
import { GNTMAP, GNTST, gnttab } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import { NO_OWNER, PGT } from '../frame_table.ts';
import { ActiveGrant } from '../grant_state.ts';
import { scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { getOwnerAndReference, getPage, putPage } from '../mm/page.ts';
import { getPageType, putPageType } from '../mm/page_type.ts';
import type { Vcpu } from '../vcpu.ts';
import { grantEntry, grantedFrame, reduceStatus, setStatus } from './grant_entry.ts';
import { NO_HANDLE } from './maptrack.ts';
import { createMapping } from './pv_mapping.ts';

const { fields } = gnttab.map_grant_ref;
/** A counter with this bit set takes no more. */
const FULL = 0x80;

const u32 = (at: number): number => scratch.getUint32(at, true);

/** Answers the status that was stored. */
export const mapGrantRef = (machine: Machine, vcpu: Vcpu): number => {
  const status = map(machine, vcpu);
  scratch.setInt16(fields.status.at, status, true);
  return status;
};

const map = (machine: Machine, vcpu: Vcpu): number => {
  const flags = u32(fields.flags.at);
  if ((flags & (GNTMAP.device_map | GNTMAP.host_map)) === 0) return GNTST.bad_gntref;
  const dom = scratch.getUint16(fields.dom.at, true);
  const granter = machine.domainById(dom);
  if (!granter) return GNTST.bad_domain;
  const { domain } = vcpu;
  const { maptrack } = domain.grants;
  const handle = maptrack.take(vcpu.id, domain.vcpus.length, machine.config.xen.max_maptrack_frames);
  if (handle === NO_HANDLE) return GNTST.no_space;
  const ref = u32(fields.ref.at);
  const status = mapEntry(machine, vcpu, granter, ref, flags);
  if (status !== GNTST.okay) {
    maptrack.put(handle);
    return status;
  }
  maptrack.domid[handle] = dom;
  maptrack.ref[handle] = ref;
  maptrack.flags[handle] = flags;
  const { mfn } = granter.grants.active.get(ref)!;
  scratch.setUint32(fields.handle.at, handle, true);
  scratch.setInt32(fields.dev_bus_addr.at, mfn << 12, true);
  scratch.setInt32(fields.dev_bus_addr.at + 4, mfn >>> 20, true);
  return GNTST.okay;
};

/** Check the entry, count the use, take the page and put the mapping in place. */
const mapEntry = (machine: Machine, vcpu: Vcpu, granter: Domain, ref: number, flags: number): number => {
  if (ref >= granter.grants.entries()) return GNTST.bad_gntref;
  const { active: all } = granter.grants;
  const { domid } = vcpu.domain;
  const readonly = (flags & GNTMAP.readonly) !== 0;
  const known = all.get(ref);
  if (known && (known.domid !== domid || known.isSubPage || wouldOverflow(machine, known, flags))) return GNTST.general_error;
  if (!known || (!readonly && !known.isWritePinned())) {
    const status = setStatus(machine, granter, ref, known, readonly, domid, true);
    if (status !== GNTST.okay) return status;
  }
  let active = known;
  if (active) {
    const owner = getOwnerAndReference(machine.frames, active.mfn);
    if (owner !== granter.domid) {
      // The frame went with its dying domain, and may be somebody else's now.
      if (owner !== NO_OWNER) putPage(machine.frames, active.mfn);
      reduceStatus(machine, granter, ref, active, readonly);
      return GNTST.general_error;
    }
  } else {
    const mfn = grantedFrame(machine, granter, grantEntry(granter, ref));
    if (!getPage(machine.frames, mfn, granter.domid)) {
      reduceStatus(machine, granter, ref, undefined, readonly);
      return GNTST.bad_page;
    }
    active = new ActiveGrant();
    active.mfn = mfn;
    active.domid = domid;
    active.transDomid = granter.domid;
    active.transRef = ref;
    all.set(ref, active);
  }
  count(active, flags, 1);
  if (takePage(machine, vcpu, granter, active.mfn, flags)) return GNTST.okay;
  count(active, flags, -1);
  reduceStatus(machine, granter, ref, active, readonly);
  if (!active.isPinned()) all.delete(ref);
  return GNTST.general_error;
};

const wouldOverflow = (machine: Machine, active: ActiveGrant, flags: number): boolean => {
  if (machine.ways['grant-full'] === 'any count') return active.isAnyFull();
  const readonly = (flags & GNTMAP.readonly) !== 0;
  const host = readonly ? active.hostRead : active.hostWrite;
  const device = readonly ? active.deviceRead : active.deviceWrite;
  return ((flags & GNTMAP.host_map) !== 0 && (host & FULL) !== 0) || ((flags & GNTMAP.device_map) !== 0 && (device & FULL) !== 0);
};

/** Note a use more (1) or less (-1) of each kind that `flags` name. */
export const count = (active: ActiveGrant, flags: number, by: number): void => {
  const readonly = (flags & GNTMAP.readonly) !== 0;
  if ((flags & GNTMAP.host_map) !== 0) {
    if (readonly) active.hostRead += by;
    else active.hostWrite += by;
  }
  if ((flags & GNTMAP.device_map) !== 0) {
    if (readonly) active.deviceRead += by;
    else active.deviceWrite += by;
  }
};

/**
 * One general reference is held already. A device mapping keeps one, a host mapping one, each with a type reference when it may write.
 * False: everything is given back.
 */
const takePage = (machine: Machine, vcpu: Vcpu, granter: Domain, mfn: number, flags: number): boolean => {
  const { frames } = machine;
  const writable = (flags & GNTMAP.readonly) === 0;
  const device = (flags & GNTMAP.device_map) !== 0;
  let references = 1;
  let types = 0;
  const takeType = (): boolean => {
    if (!writable) return true;
    if (getPageType(machine, vcpu, mfn, PGT.writable) !== 0) return false;
    types++;
    return true;
  };
  let taken = !device || takeType();
  if (taken && (flags & GNTMAP.host_map) !== 0) {
    if (device && getPage(frames, mfn, granter.domid)) references++;
    const lo = scratch.getInt32(fields.host_addr.at, true);
    const hi = scratch.getInt32(fields.host_addr.at + 4, true);
    taken = takeType() && createMapping(machine, vcpu, lo, hi, mfn, flags);
  }
  if (taken) return true;
  while (types-- > 0) putPageType(machine, vcpu, mfn);
  while (references-- > 0) putPage(frames, mfn);
  return false;
};
