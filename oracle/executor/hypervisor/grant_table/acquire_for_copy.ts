/** A grant in use by a copy: from reference to page, by way of one other domain's grant if need be, and back. */
import { GNTST, GTF, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import { NO_OWNER } from '../frame_table.ts';
import { ActiveGrant } from '../grant_state.ts';
import type { Machine } from '../machine.ts';
import { getOwnerAndReference, getPage, putPage } from '../mm/page.ts';
import { grantEntry, grantedFrame, reduceStatus, setStatus } from './grant_entry.ts';

/** The entry is in use in another way than it says now: to be tried again from the start (not a GNTST, which are never above 0). */
export const RESTART = 1;
/** A counter with this bit set takes no more. */
const FULL = 0x80;
const { page_off, length, trans_domid, trans_gref } = grant_entry_v2.fields;

/** Frame and bytes of what `acquireForCopy` took last; one reference to `page` is the caller's. */
export const ACQUIRED = { mfn: 0, page: 0, start: 0, length: 0 };

/** Take reference `ref` of `granter` into use for a copy by `user`. Answers a GNTST or RESTART; nothing is held unless it is okay. */
export const acquireForCopy = (
  machine: Machine,
  granter: Domain,
  ref: number,
  user: number,
  readonly: boolean,
  allowTransitive: boolean,
): number => {
  const { grants } = granter;
  if (ref >= grants.entries()) return GNTST.bad_gntref;
  const known = grants.active.get(ref);
  if (known && (known.domid !== user || wouldOverflow(machine, known, readonly))) return GNTST.general_error;
  const entry = grantEntry(granter, ref);
  const isTransitive = grants.version === 2 && (machine.memory.read16(entry) & GTF.type_mask) === GTF.transitive;
  const isNew = !known || (!readonly && !known.isWritePinned());
  if (isNew || isTransitive) {
    const status = isNew ? setStatus(machine, granter, ref, known, readonly, user, false) : GNTST.okay;
    if (status !== GNTST.okay) return status;
    const found = isTransitive
      ? passOn(machine, granter, entry, known, readonly, allowTransitive)
      : lookUp(machine, granter, ref, entry, known);
    if (found !== GNTST.okay) {
      reduceStatus(machine, granter, ref, known, readonly);
      return found;
    }
    ACQUIRED.page = FOUND.mfn;
  } else {
    const owner = getOwnerAndReference(machine.frames, known.mfn);
    if (owner !== granter.domid || granter.dying !== null) {
      if (owner !== NO_OWNER) putPage(machine.frames, known.mfn);
      reduceStatus(machine, granter, ref, known, readonly);
      return GNTST.bad_domain;
    }
    ACQUIRED.page = known.mfn;
  }
  const active = known ?? FOUND.take(grants.active, ref, user);
  if (readonly) active.hostRead++;
  else active.hostWrite++;
  ACQUIRED.mfn = active.mfn;
  ACQUIRED.start = active.start;
  ACQUIRED.length = active.length;
  return GNTST.okay;
};

const wouldOverflow = (machine: Machine, active: ActiveGrant, readonly: boolean): boolean =>
  machine.ways['grant-full'] === 'any count' ? active.isAnyFull() : ((readonly ? active.hostRead : active.hostWrite) & FULL) !== 0;

/** What an entry leads to, before it is noted as active. */
const FOUND = {
  mfn: 0,
  isSubPage: false,
  start: 0,
  length: 0,
  transDomid: 0,
  transRef: 0,

  take(all: Map<number, ActiveGrant>, ref: number, user: number): ActiveGrant {
    const active = new ActiveGrant();
    active.domid = user;
    active.mfn = this.mfn;
    active.isSubPage = this.isSubPage;
    active.start = this.start;
    active.length = this.length;
    active.transDomid = this.transDomid;
    active.transRef = this.transRef;
    all.set(ref, active);
    return active;
  },
};

/** The page, or part of a page, that the entry grants itself. A grant in use must still lead to what it is in use for. */
const lookUp = (machine: Machine, granter: Domain, ref: number, entry: number, known: ActiveGrant | undefined): number => {
  const { memory, frames } = machine;
  const isSubPage = granter.grants.version === 2 && (memory.read16(entry) & GTF.sub_page) !== 0;
  const mfn = grantedFrame(machine, granter, entry);
  if (!getPage(frames, mfn, granter.domid)) return GNTST.bad_page;
  FOUND.mfn = mfn;
  FOUND.isSubPage = isSubPage;
  FOUND.start = isSubPage ? memory.read16(entry + page_off.at) : 0;
  FOUND.length = isSubPage ? memory.read16(entry + length.at) : 4096;
  FOUND.transDomid = granter.domid;
  FOUND.transRef = ref;
  if (
    !known ||
    machine.ways['copy-changed'] === 'unnoticed' ||
    (known.mfn === mfn && known.transDomid === granter.domid && known.transRef === ref && (!known.isSubPage || sameBytes(known)))
  )
    return GNTST.okay;
  putPage(frames, mfn);
  return GNTST.general_error;
};

const sameBytes = (known: ActiveGrant): boolean => FOUND.isSubPage && known.start === FOUND.start && known.length === FOUND.length;

/** A grant that another domain gave the granter, passed on: one step only. */
const passOn = (
  machine: Machine,
  granter: Domain,
  entry: number,
  known: ActiveGrant | undefined,
  readonly: boolean,
  allowTransitive: boolean,
): number => {
  if (!allowTransitive) return GNTST.general_error;
  const { memory } = machine;
  const domid = memory.read16(entry + trans_domid.at);
  const transRef = memory.read32(entry + trans_gref.at) >>> 0;
  const origin = domid === granter.domid ? undefined : machine.domainById(domid);
  if (!origin) return GNTST.general_error;
  const status = acquireForCopy(machine, origin, transRef, granter.domid, readonly, false);
  if (status !== GNTST.okay) return status;
  FOUND.mfn = ACQUIRED.mfn;
  FOUND.isSubPage = true;
  FOUND.start = ACQUIRED.start;
  FOUND.length = ACQUIRED.length;
  FOUND.transDomid = domid;
  FOUND.transRef = transRef;
  if (
    !known ||
    (known.isSubPage && known.mfn === FOUND.mfn && sameBytes(known) && known.transDomid === domid && known.transRef === transRef)
  )
    return GNTST.okay;
  releaseForCopy(machine, origin, transRef, readonly);
  putPage(machine.frames, FOUND.mfn);
  return RESTART;
};

/** End a use by a copy. The reference to the frame stays the caller's. */
export const releaseForCopy = (machine: Machine, granter: Domain, ref: number, readonly: boolean): void => {
  const { active: all, version } = granter.grants;
  const active = all.get(ref)!;
  if (readonly) active.hostRead--;
  else active.hostWrite--;
  reduceStatus(machine, granter, ref, active, readonly);
  if (!active.isPinned()) all.delete(ref);
  if (version === 2 && active.transDomid !== granter.domid) {
    releaseForCopy(machine, machine.domainById(active.transDomid)!, active.transRef, readonly);
  }
};
