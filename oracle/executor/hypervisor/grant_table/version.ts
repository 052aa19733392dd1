/** GNTTABOP_set_version and GNTTABOP_get_version. */
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTTAB_NR_RESERVED_ENTRIES, GTF, gnttab, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import { xenheapRoom } from '../domain_builder/m2p.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { grantEntry, grantedFrame, statusEntry } from './grant_entry.ts';
import { populateStatusFrames, statusFramesFor, unpopulateStatusFrames } from './status_frames.ts';

/** Reserved entries on their way from one version to the other. */
const RESERVED = GNTTAB_NR_RESERVED_ENTRIES;
type Reserved = { readonly flags: number; readonly domid: number; readonly frame: number };

/** Change the version of the caller's table. Answers 0 or a negative errno; the version that it has then is written back in any case. */
export const setVersion = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = gnttab.set_version;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const wanted = scratch.getUint32(fields.version.at, true);
  const { domain } = vcpu;
  const answer = wanted === 1 || wanted === 2 ? changeVersion(machine, domain, wanted) : -ERRNO.EINVAL;
  scratch.setUint32(fields.version.at, domain.grants.version, true);
  return copyToGuest(machine, vcpu, lo, hi, size) ? answer : -ERRNO.EFAULT;
};

/** No entry but the reserved ones may be in use, and the reserved ones must be such that the other version can say them. */
const changeVersion = (machine: Machine, domain: Domain, wanted: 1 | 2): number => {
  const { grants } = domain;
  if (grants.version === wanted) return 0;
  for (const ref of grants.active.keys()) if (ref >= RESERVED) return -ERRNO.EBUSY;
  const reserved: Reserved[] = [];
  if (wanted === 2) {
    if (statusFramesFor(grants.frames.length) > xenheapRoom(machine)) return -ERRNO.ENOMEM;
    populateStatusFrames(machine, domain, grants.frames.length);
    for (let ref = 0; ref < RESERVED; ref++) reserved.push(entryOf(machine, domain, ref));
  } else {
    for (let ref = 0; ref < RESERVED; ref++) if (!fitsVersion1(machine, domain, ref)) return -ERRNO.ERANGE;
    for (let ref = 0; ref < RESERVED; ref++) reserved.push(accessOf(machine, domain, ref));
    if (!unpopulateStatusFrames(machine, domain)) return -ERRNO.EBUSY;
  }
  for (const mfn of grants.frames) machine.memory.fill(mfn * 4096, 4096, 0);
  grants.version = wanted;
  for (const [ref, entry] of reserved.entries()) restore(machine, domain, ref, entry);
  return 0;
};

const entryOf = (machine: Machine, domain: Domain, ref: number): Reserved => {
  const at = grantEntry(domain, ref);
  const { flags, domid } = grant_entry_v1.fields;
  return {
    flags: machine.memory.read16(at + flags.at),
    domid: machine.memory.read16(at + domid.at),
    frame: grantedFrame(machine, domain, at) % TWO32,
  };
};

const fitsVersion1 = (machine: Machine, domain: Domain, ref: number): boolean => {
  const at = grantEntry(domain, ref);
  const type = machine.memory.read16(at) & GTF.type_mask;
  if (type === GTF.transitive) return false;
  return type !== GTF.permit_access || machine.memory.read32(at + grant_entry_v2.fields.frame.at + 4) === 0;
};

/** Of version 2 only grants of access stay, with their marks of use. */
const accessOf = (machine: Machine, domain: Domain, ref: number): Reserved => {
  const entry = entryOf(machine, domain, ref);
  if ((entry.flags & GTF.type_mask) !== GTF.permit_access) return { flags: 0, domid: 0, frame: 0 };
  return { ...entry, flags: entry.flags | machine.memory.read16(statusEntry(domain, ref)) };
};

const restore = ({ memory }: Machine, domain: Domain, ref: number, { flags, domid, frame }: Reserved): void => {
  const at = grantEntry(domain, ref);
  const marks = GTF.reading | GTF.writing;
  const isFirst = domain.grants.version === 1;
  memory.write16(at, isFirst ? flags : flags & ~marks);
  memory.write16(at + grant_entry_v1.fields.domid.at, domid);
  memory.write32(at + (isFirst ? grant_entry_v1 : grant_entry_v2).fields.frame.at, frame | 0);
  if (!isFirst) memory.write16(statusEntry(domain, ref), flags & marks);
};

/** Answers 0 or a negative errno. */
export const getVersion = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = gnttab.get_version;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.dom.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  const low = (lo >>> 0) + fields.version.at;
  return putGuest(machine, vcpu, low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, 4, domain.grants.version) ? 0 : -ERRNO.EFAULT;
};
