/** GNTTABOP_setup_table and GNTTABOP_query_size. */
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTST, gnttab } from '#spec/abi/grant_table.ts';
import type { Domain } from '../domain.ts';
import { shareXenFrame } from '../domain_builder/build.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { accessOk, copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const u32 = (at: number): number => scratch.getUint32(at, true);

const tell = (machine: Machine, vcpu: Vcpu, name: string, status: number): void =>
  machine.emit({ kind: 'operation', at: vcpu.ref, name: `grant_table_op/${name}`, result: status });

/** The domain whose table is meant, or the status of a refusal. */
const target = (machine: Machine, vcpu: Vcpu, dom: number): Domain | number => {
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
  const domain = target(machine, vcpu, scratch.getUint16(fields.dom.at, true));
  const status = typeof domain === 'number' ? domain : giveFrames(machine, vcpu, domain, u32(fields.nr_frames.at), listLo, listHi);
  tell(machine, vcpu, 'setup_table', status);
  const at = (lo >>> 0) + fields.status.at;
  return putGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, 2, status) ? 0 : -ERRNO.EFAULT;
};

/** Grow a table to at least `wanted` frames. False when it may not have so many, or Xen's heap has no room; it is as before then. */
export const growTable = (machine: Machine, domain: Domain, wanted: number): boolean => {
  const { frames } = domain.grants;
  if (wanted <= frames.length) return true;
  if (wanted > machine.config.xen.max_grant_frames) return false;
  if (machine.xenheapNext + wanted - frames.length > machine.config.layout.xenheap_end) return false;
  while (frames.length < wanted) frames.push(shareXenFrame(machine, domain));
  return true;
};

const giveFrames = (machine: Machine, vcpu: Vcpu, domain: Domain, wanted: number, listLo: number, listHi: number): number => {
  if (wanted > machine.config.xen.max_grant_frames || !growTable(machine, domain, wanted)) return GNTST.general_error;
  const { frames } = domain.grants;
  let status: number = GNTST.okay;
  for (let i = 0; i < wanted; i++) {
    const at = (listLo >>> 0) + 8 * i;
    if (!putGuest(machine, vcpu, at | 0, at > 0xffffffff ? (listHi + 1) | 0 : listHi, 8, frames[i])) status = GNTST.bad_virt_addr;
  }
  return status;
};

/** How many frames a table has, and how many it may have. Answers 0 or a negative errno. */
export const querySize = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, elements: number): number => {
  const { size, fields } = gnttab.query_size;
  if (elements !== 1) return -ERRNO.EINVAL;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const domain = target(machine, vcpu, scratch.getUint16(fields.dom.at, true));
  if (typeof domain !== 'number') {
    scratch.setUint32(fields.nr_frames.at, domain.grants.frames.length, true);
    scratch.setUint32(fields.max_nr_frames.at, machine.config.xen.max_grant_frames, true);
  }
  const status = typeof domain === 'number' ? domain : GNTST.okay;
  scratch.setInt16(fields.status.at, status, true);
  tell(machine, vcpu, 'query_size', status);
  return copyToGuest(machine, vcpu, lo, hi, size) ? 0 : -ERRNO.EFAULT;
};
