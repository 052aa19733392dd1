/** GNTTABOP_unmap_grant_ref: end a mapping, or one part of it. Chapter: spec/chapters/grant_table.md, "unmap_grant_ref". */
import { GNTMAP } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { putPage } from '../../page_type/references.ts';
import { putPageType } from '../../page_type/type.ts';
import { equal, fromNumber, isZero, shl, type Word } from '../../word/word.ts';
import { activeAt, countsOf, dropCounts, isReadOnly } from './active.ts';
import { mappingAt, returnHandle, setMapping } from './handles.ts';
import { destroyHostMapping } from './host_mapping.ts';
import { reduceMarks } from './shared_entry.ts';
import { type GrantResult, okay, refused } from './status.ts';

/** `newAddr`: what maps there takes the place of the mapping; 0 = nothing does. */
export type UnmapRequest = { readonly hostAddr: Word; readonly devBusAddr: Word; readonly newAddr: Word; readonly handle: number };

/** What is left to give back when the entries of a whole batch are cleared. `parts`: GNTMAP flags of the parts that went. */
export type Unmapped = { readonly dom: number; readonly ref: number; readonly mfn: number; readonly parts: number };

const PARTS = GNTMAP.host_map | GNTMAP.device_map;

/** Clear the entry and forget the mapping; references, counts and marks follow in `completeUnmap`. */
export const unmapGrantRef = (
  machine: Machine,
  caller: VcpuRef,
  { hostAddr, devBusAddr, newAddr, handle }: UnmapRequest,
): GrantResult<Unmapped> => {
  const mapping = mappingAt(machine, caller.domid, handle);
  if (!mapping) return refused(machine, 'bad_handle', 'gnttab/unmap-handle');
  const { domid: dom, ref, flags } = mapping;
  const active = activeAt(machine, dom, ref);
  if (!active) throw new ModelBug(`handle ${handle} of domain ${caller.domid} maps a grant that is not active`);
  const { mfn } = active;

  const device = !isZero(devBusAddr) && (flags & GNTMAP.device_map) !== 0;
  const host = !isZero(hostAddr) && (flags & GNTMAP.host_map) !== 0;
  const anyMapping = waysOf(machine.config.release)['unmap-bus_address'] === 'of any mapping';
  if ((device || (anyMapping && !isZero(devBusAddr))) && !equal(devBusAddr, shl(fromNumber(mfn), 12)))
    return refused(machine, anyMapping ? 'general_error' : 'bad_dev_addr', 'gnttab/unmap-bus_address');
  const cleared = host ? destroyHostMapping(machine, caller, hostAddr, mfn, flags, newAddr) : { ok: true, machine };
  if (!cleared.ok) return refused(cleared.machine, 'general_error', 'gnttab/unmap-entry');

  const gone = (host ? GNTMAP.host_map : 0) | (device ? GNTMAP.device_map : 0);
  const left = flags & ~gone;
  const m =
    (left & PARTS) === 0
      ? cite(returnHandle(cleared.machine, caller.domid, handle), 'gnttab/unmap-released')
      : setMapping(cleared.machine, caller.domid, handle, { domid: dom, ref, flags: left });
  return okay(m, 'gnttab/unmap-part', { dom, ref, mfn, parts: gone && gone | (flags & GNTMAP.readonly) });
};

/**
 * Give back the counts, references and uses of the parts that went, and clear marks that nothing needs any more. The last reference may be what a dead
 * domain waited for, and its table of grants goes with it: so that comes last.
 */
export const completeUnmap = (machine: Machine, { dom, ref, mfn, parts }: Unmapped): Machine => {
  const counts = countsOf(parts);
  if (counts.length === 0) return machine;
  let m = cite(reduceMarks(dropCounts(machine, dom, ref, counts), dom, ref, isReadOnly(parts)), 'gnttab/unmap-marks');
  for (const _ of counts) m = putPage(isReadOnly(parts) ? m : putPageType(m, mfn), mfn);
  return m;
};
