/** GNTTABOP_setup_table and GNTTABOP_query_size. */
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTST, gnttab } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import { shareXenFrame } from '../domain_builder/build.ts';
import { xenheapRoom } from '../domain_builder/m2p.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { accessOk, copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { offsetHi, offsetLo } from '../memory/argument.ts';
import type { Vcpu } from '../vcpu.ts';
import { populateStatusFrames, statusFramesFor } from './status_frames.ts';

const u32 = (at: number): number => scratch.getUint32(at, true);

const tell = (machine: Machine, vcpu: Vcpu, name: string, status: number): void =>
  machine.emit({ kind: 'operation', at: vcpu.ref, name: `grant_table_op/${name}`, result: status });

/** The domain whose table is meant, or the status of a refusal. */
export const tableOwner = (machine: Machine, vcpu: Vcpu, dom: number): Domain | number => {
  const domain = domainByAnyId(machine, vcpu.domain, dom);
  if (!domain) return GNTST.bad_domain;
  return isTargetOrPrivileged(vcpu.domain, domain) ? domain : GNTST.permission_denied;
};

/** Grow a table to at least as many frames as asked, and tell where they are. Answers 0 or a negative errno. */
export const setupTable = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, elements: number): number => {
  const { size, fields } = gnttab.setup_table;
  if (elements !== 1) return -ERRNO.EINVAL;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const listLo = scratch.getInt32(fields.frame_list.at, true);
  const listHi = scratch.getInt32(fields.frame_list.at + 4, true);
  if (!accessOk(listHi)) return -ERRNO.EFAULT;
  const domain = tableOwner(machine, vcpu, scratch.getUint16(fields.dom.at, true));
  const status = typeof domain === 'number' ? domain : giveFrames(machine, vcpu, domain, u32(fields.nr_frames.at), listLo, listHi);
  tell(machine, vcpu, 'setup_table', status);
  const { at } = fields.status;
  return putGuest(machine, vcpu, offsetLo(lo, at), offsetHi(lo, hi, at), 2, status) ? 0 : -ERRNO.EFAULT;
};

/** Grow a table to at least `wanted` frames. False when it may not have so many, or Xen's heap has no room; it is as before then. */
export const growTable = (machine: Machine, domain: Domain, wanted: number): boolean => {
  const { frames, statusFrames, version } = domain.grants;
  if (wanted <= frames.length) return true;
  if (wanted > machine.config.xen.max_grant_frames) return false;
  const status = version === 2 ? statusFramesFor(wanted) - statusFrames.length : 0;
  if (wanted - frames.length + status > xenheapRoom(machine)) return false;
  while (frames.length < wanted) frames.push(shareXenFrame(machine, domain));
  if (version === 2) populateStatusFrames(machine, domain, wanted);
  return true;
};

const giveFrames = (machine: Machine, vcpu: Vcpu, domain: Domain, wanted: number, listLo: number, listHi: number): number => {
  if (wanted > machine.config.xen.max_grant_frames || !growTable(machine, domain, wanted)) return GNTST.general_error;
  return listFrames(machine, vcpu, domain.grants.frames, wanted, listLo, listHi);
};

/** Write the first `wanted` frame numbers to the guest's list. Answers a GNTST. */
export const listFrames = (
  machine: Machine,
  vcpu: Vcpu,
  frames: readonly number[],
  wanted: number,
  listLo: number,
  listHi: number,
): number => {
  let status: number = GNTST.okay;
  for (let i = 0; i < wanted; i++) {
    if (!putGuest(machine, vcpu, offsetLo(listLo, 8 * i), offsetHi(listLo, listHi, 8 * i), 8, frames[i])) status = GNTST.bad_virt_addr;
  }
  return status;
};

/** How many frames a table has, and how many it may have. Answers 0 or a negative errno. */
export const querySize = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, elements: number): number => {
  const { size, fields } = gnttab.query_size;
  if (elements !== 1) return -ERRNO.EINVAL;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const domain = tableOwner(machine, vcpu, scratch.getUint16(fields.dom.at, true));
  if (typeof domain !== 'number') {
    scratch.setUint32(fields.nr_frames.at, domain.grants.frames.length, true);
    scratch.setUint32(fields.max_nr_frames.at, machine.config.xen.max_grant_frames, true);
  }
  const status = typeof domain === 'number' ? domain : GNTST.okay;
  scratch.setInt16(fields.status.at, status, true);
  tell(machine, vcpu, 'query_size', status);
  return copyToGuest(machine, vcpu, lo, hi, size) ? 0 : -ERRNO.EFAULT;
};
