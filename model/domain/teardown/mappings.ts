/** What a dying domain mapped of others by grants. Xen's name: gnttab_release_mappings. */
import { GNTMAP } from '#spec/abi/grant_table.ts';
import { activeAt, countsOf, dropCounts, isReadOnly } from '../../hypercall/grant_table/active.ts';
import { grantsOf, mappingAt, updateGrants } from '../../hypercall/grant_table/handles.ts';
import { reduceMarks } from '../../hypercall/grant_table/shared_entry.ts';
import { preemptCheck } from '../../hypercall/preempt.ts';
import { cite } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { putPage } from '../../page_type/references.ts';
import { putPageType } from '../../page_type/type.ts';
import { spend } from '../../work.ts';
import type { Stage } from './kill.ts';

const PER_FRAME = 256;

/**
 * domctl/destroydomain-mappings: from the last handle to the first, with a question where a page of handles begins. The list shrinks
 * there, so that the question is not asked again.
 */
export const releaseMappings: Stage = (machine, caller, domid) => {
  let m = machine;
  for (let handle = grantsOf(m, domid).maptrack.length; handle > 0; ) {
    if (handle < grantsOf(m, domid).maptrack.length && handle % PER_FRAME === 0) {
      const asked = preemptCheck(withHandles(m, domid, handle), caller);
      if (asked.stop) return { machine: asked.machine, over: false };
      m = asked.machine;
    }
    handle--;
    spend(m, 'handle');
    m = release(m, domid, handle);
  }
  return { machine: updateGrants(m, domid, { maptrack: [], handleOwners: [], freeHandles: [] }), over: true };
};

const withHandles = (machine: Machine, domid: number, count: number): Machine =>
  updateGrants(machine, domid, { maptrack: grantsOf(machine, domid).maptrack.slice(0, count) });

/** References and uses of host mappings are the page tables' affair; those of device mappings end here. */
const release = (machine: Machine, domid: number, handle: number): Machine => {
  const mapping = mappingAt(machine, domid, handle);
  if (!mapping || !findDomain(machine, mapping.domid)) return machine;
  const { domid: granter, ref, flags } = mapping;
  const { mfn } = activeAt(machine, granter, ref)!;
  const readOnly = isReadOnly(flags);
  const device = (flags & GNTMAP.device_map) !== 0;
  const put = device ? putPage(readOnly ? machine : putPageType(machine, mfn), mfn) : machine;
  const counted = dropCounts(cite(put, 'domctl/destroydomain-mappings'), granter, ref, countsOf(flags));
  return reduceMarks(counted, granter, ref, readOnly);
};
