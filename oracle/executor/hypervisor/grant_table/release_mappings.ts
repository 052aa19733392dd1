/** The end of a domain's use of others' grants. */

import { ERRNO } from '#spec/abi/errno.ts';
import { GNTMAP } from '#spec/abi/grant_table.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { isIoFrame } from '../mm/io_memory.ts';
import { putPage } from '../mm/page.ts';
import { putPageType } from '../mm/page_type.ts';
import type { Vcpu } from '../vcpu.ts';
import { reduceStatus } from './grant_entry.ts';
import { count } from './map_grant_ref.ts';
import { PER_FRAME } from './maptrack.ts';

const PARTS = GNTMAP.device_map | GNTMAP.host_map;

/**
 * Forget all mappings of a dying domain, from the last handle down; `vcpu` is the one that has it destroyed. What page table entries of the domain
 * hold goes with its page tables. Answers 0, or -ERESTART after each frame of handles when asked to stop.
 */
export const releaseMappings = (machine: Machine, vcpu: Vcpu, domain: Domain): number => {
  const { maptrack } = domain.grants;
  for (let handle = maptrack.limit; handle > 0; ) {
    if (handle < maptrack.limit && handle % PER_FRAME === 0) {
      maptrack.limit = handle;
      if (shouldPreempt(machine, vcpu)) return -ERRNO.ERESTART;
    }
    handle--;
    machine.work.spend(WORK.handle);
    if ((maptrack.flags[handle] & PARTS) !== 0) release(machine, vcpu, domain, handle);
    maptrack.flags[handle] = 0;
  }
  maptrack.limit = 0;
  return 0;
};

const release = (machine: Machine, vcpu: Vcpu, { grants }: Domain, handle: number): void => {
  const flags = grants.maptrack.flags[handle];
  const ref = grants.maptrack.ref[handle];
  const granter = machine.domainById(grants.maptrack.domid[handle]);
  if (!granter) return;
  const active = granter.grants.active.get(ref)!;
  const readonly = (flags & GNTMAP.readonly) !== 0;
  if ((flags & GNTMAP.device_map) !== 0 && !isIoFrame(machine.frames, active.mfn)) {
    if (!readonly) putPageType(machine, vcpu, active.mfn);
    putPage(machine.frames, active.mfn);
  }
  count(active, flags, -1);
  reduceStatus(machine, granter, ref, active, readonly);
  if (!active.isPinned()) granter.grants.active.delete(ref);
};
