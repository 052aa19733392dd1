/** GNTTABOP_set_version and GNTTABOP_get_version. Only version 1 exists here. */
import { ERRNO } from '#spec/abi/errno.ts';
import { gnttab } from '#spec/abi/grant_table.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const GRANT_VERSION = 1;

/** Answers 0 or a negative errno. */
export const setVersion = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = gnttab.set_version;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const { at } = fields.version;
  const wanted = scratch.getUint32(at, true);
  if (wanted === 2) {
    machine.notModelled(vcpu, 'grant_table_op/set_version');
    return -ERRNO.ENOSYS;
  }
  scratch.setUint32(at, GRANT_VERSION, true);
  if (!copyToGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  return wanted === GRANT_VERSION ? 0 : -ERRNO.EINVAL;
};

/** Answers 0 or a negative errno. */
export const getVersion = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = gnttab.get_version;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return -ERRNO.EFAULT;
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.dom.at, true));
  if (!domain) return -ERRNO.ESRCH;
  if (!isTargetOrPrivileged(vcpu.domain, domain)) return -ERRNO.EPERM;
  const low = (lo >>> 0) + fields.version.at;
  return putGuest(machine, vcpu, low | 0, low > 0xffffffff ? (hi + 1) | 0 : hi, 4, GRANT_VERSION) ? 0 : -ERRNO.EFAULT;
};
