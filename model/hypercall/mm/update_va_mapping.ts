/**
 * HYPERVISOR_update_va_mapping(va, val, flags) and update_va_mapping_otherdomain(va, val, flags, domid): write the level 1 entry of an
 * address of the current address space, for one's own frames or another domain's.
 */

import { ERRNO } from '#spec/abi/errno.ts';
import { UVMF } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Machine } from '../../machine.ts';
import { fromNumber, type Word, word } from '../../word/word.ts';
import { mayTarget } from '../domids.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { pageOwner } from './foreign.ts';
import { findGuestL1e, isL1TableOf } from './guest_l1e.ts';
import { modL1Entry } from './mod_entry.ts';
import { readVcpuMask } from './vcpu_mask.ts';

export const update_va_mapping: Perform = (machine, caller, args) => update(machine, caller, args, caller.domid);

export const update_va_mapping_otherdomain: Perform = (machine, caller, args) => {
  const owner = pageOwner(machine, caller, args[3].lo);
  if (owner === null) return fail(machine, 'ESRCH', 'mmu/foreign-unknown');
  if (!mayTarget(caller, owner)) return fail(machine, 'EPERM', 'mmu/update_va_mapping_otherdomain-permission');
  return update(machine, caller, args, owner);
};

const update = (machine: Machine, caller: VcpuRef, [va, val, flags]: readonly Word[], frames: number): HypercallResult => {
  const { machine: walked, place } = findGuestL1e(machine, caller, va);
  if (!place || !isL1TableOf(walked, caller.domid, place.mfn)) return fail(walked, 'EINVAL', 'mmu/update_va_mapping-table');

  const changed = modL1Entry(walked, place, val, { tables: caller.domid, frames, caller: caller.domid }, 'replace');
  if (changed.errno) return { kind: 'reply', machine: changed.machine, value: fromNumber(-ERRNO[changed.errno]) };
  return flushed(changed.machine, caller, flags);
};

/** A flush of some vCPUs reads their mask; nothing else of a flush can be seen. */
const flushed = (machine: Machine, caller: VcpuRef, flags: Word): HypercallResult => {
  const kind = flags.lo & UVMF.FLUSHTYPE_MASK;
  const mask = word(flags.hi, flags.lo & ~UVMF.FLUSHTYPE_MASK);
  const some = !(mask.hi === 0 && (mask.lo === UVMF.LOCAL || mask.lo === UVMF.ALL));
  if (!some || (kind !== UVMF.TLB_FLUSH && kind !== UVMF.INVLPG)) return done(machine, 'mmu/update_va_mapping-done');
  const read = readVcpuMask(machine, caller, mask);
  return read.ok ? done(read.machine, 'mmu/update_va_mapping-done') : fail(read.machine, 'EFAULT', 'mmu/update_va_mapping-mask');
};
