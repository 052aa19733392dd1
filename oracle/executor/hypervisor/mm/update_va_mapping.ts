/** update_va_mapping(_otherdomain): set the L1 entry that maps an address, and flush. */
import { ERRNO } from '#spec/abi/errno.ts';
import { UVMF } from '#spec/abi/xen.ts';
import { isTargetOrPrivileged } from '../domids.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { dirtyCpus, flushAddress, flushMask } from '../tlbflush.ts';
import type { Vcpu } from '../vcpu.ts';
import { mapGuestL1e } from './guest_l1e.ts';
import { modL1Entry } from './mod_entry.ts';
import { ownsPage } from './page.ts';
import { isLockable } from './page_type.ts';
import { getPgOwner } from './pg_owner.ts';
import { readVcpumask } from './vcpumask.ts';

/** Arguments: address, entry, flags; a flush for some vCPUs has the address of their bitmap in the flags. */
export const update_va_mapping = (machine: Machine, vcpu: Vcpu, args: Int32Array): number =>
  updateMapping(machine, vcpu, args, vcpu.domain.domid);

/** The same, and whose the mapped page is. */
export const update_va_mapping_otherdomain = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const pgOwner = getPgOwner(machine, vcpu.domain, args[6]);
  if (pgOwner < 0) return -ERRNO.ESRCH;
  const owner = machine.domainById(pgOwner);
  if (owner ? !isTargetOrPrivileged(vcpu.domain, owner) : !vcpu.domain.privileged) return -ERRNO.EPERM;
  return updateMapping(machine, vcpu, args, pgOwner);
};

const updateMapping = (machine: Machine, vcpu: Vcpu, args: Int32Array, pgOwner: number): number => {
  const { domid } = vcpu.domain;
  const flagsLo = args[4];
  const flagsHi = args[5];
  const at = mapGuestL1e(machine, vcpu.kernelTable, args[0], args[1]);
  if (at < 0) return -ERRNO.EINVAL;
  const table = at >>> 12;
  if (!ownsPage(machine.frames, table, domid) || !isLockable(machine, table) || machine.frames.type[table] !== PGT.l1) return -ERRNO.EINVAL;
  const answer = modL1Entry(machine, vcpu, at, args[2], args[3], false, domid, pgOwner);
  if (answer !== 0) return answer;
  const kind = flagsLo & UVMF.FLUSHTYPE_MASK;
  if (kind !== UVMF.TLB_FLUSH && kind !== UVMF.INVLPG) return 0;
  const maskLo = flagsLo & ~UVMF.FLUSHTYPE_MASK;
  const cpus = flushedCpus(machine, vcpu, maskLo, flagsHi);
  if (cpus < 0) return -ERRNO.EFAULT;
  if (kind === UVMF.TLB_FLUSH) flushMask(machine, cpus);
  else flushAddress(machine, cpus, args[0], args[1]);
  return 0;
};

/** The calling pCPU, all of the caller's domain, or those of the bitmap at that address; -1 when that cannot be read. */
const flushedCpus = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  if (hi === 0 && lo === UVMF.LOCAL) return 1 << vcpu.processor;
  if (hi === 0 && lo === UVMF.ALL) return dirtyCpus(machine, vcpu.domain);
  return readVcpumask(machine, vcpu, lo, hi);
};
