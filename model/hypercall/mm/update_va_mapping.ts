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
import { flushScope, type Scope } from './flush.ts';
import { pageOwner } from './foreign.ts';
import { findGuestL1e, isL1TableOf } from './guest_l1e.ts';
import { modL1Entry } from './mod_entry.ts';

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
  return flushed(changed.machine, caller, va, flags);
};

/** The flush that the flags ask for. */
const flushed = (machine: Machine, caller: VcpuRef, va: Word, flags: Word): HypercallResult => {
  const kind = flags.lo & UVMF.FLUSHTYPE_MASK;
  if (kind !== UVMF.TLB_FLUSH && kind !== UVMF.INVLPG) return done(machine, 'mmu/update_va_mapping-done');
  const { machine: m, ok } = flushScope(machine, caller, scopeIn(flags), kind === UVMF.INVLPG ? va : null);
  return ok ? done(m, 'mmu/update_va_mapping-done') : fail(m, 'EFAULT', 'mmu/update_va_mapping-mask');
};

/** Above the kind of flush: UVMF_LOCAL, UVMF_ALL, or where the mask lies. */
const scopeIn = (flags: Word): Scope => {
  const mask = word(flags.hi, flags.lo & ~UVMF.FLUSHTYPE_MASK);
  if (mask.hi !== 0) return { mask };
  return mask.lo === UVMF.LOCAL ? 'local' : mask.lo === UVMF.ALL ? 'all' : { mask };
};
