/** GNTTABOP_map_grant_ref: map another domain's frame by its grant. Chapter: spec/chapters/grant_table.md, "map_grant_ref". */
import { GNTMAP, GTF } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { addReference, getPage, putPage } from '../../page_type/references.ts';
import { getPageType, putPageType } from '../../page_type/type.ts';
import { fromNumber, shl, type Word } from '../../word/word.ts';
import { activeAt, addCounts, countsOf, dropCounts, isFull, isReadOnly } from './active.ts';
import { returnHandle, setMapping, takeHandle } from './handles.ts';
import { createHostMapping } from './host_mapping.ts';
import { begin } from './lifecycle.ts';
import { entryCount, markInUse, reduceMarks, sharedEntry } from './shared_entry.ts';
import { type GrantResult, okay, refused } from './status.ts';

export type MapRequest = { readonly hostAddr: Word; readonly flags: number; readonly ref: number; readonly dom: number };
export type Mapped = { readonly handle: number; readonly devBusAddr: Word };

export const mapGrantRef = (machine: Machine, caller: VcpuRef, request: MapRequest): GrantResult<Mapped> => {
  const counts = countsOf(request.flags);
  if (counts.length === 0) return refused(machine, 'bad_gntref', 'gnttab/map-flags');
  if (!findDomain(machine, request.dom)) return refused(machine, 'bad_domain', 'gnttab/map-domain');

  const handed = takeHandle(machine, caller.domid, caller.vcpu);
  if (handed.handle === null) return refused(machine, 'no_space', 'gnttab/handle-none');
  const { handle } = handed;
  const result = mapWithHandle(cite(handed.machine, 'gnttab/handle-next'), caller, request);
  if (result.out === null)
    return { ...result, out: null, machine: cite(returnHandle(result.machine, caller.domid, handle), 'gnttab/handle-on_failure') };

  const { dom, ref, flags } = request;
  const tracked = setMapping(result.machine, caller.domid, handle, { domid: dom, ref, flags: flags & 0xffff });
  return okay(tracked, 'gnttab/map-done', { handle, devBusAddr: shl(fromNumber(result.out), 12) });
};

/** The mapping itself; its result is the frame. */
const mapWithHandle = (machine: Machine, caller: VcpuRef, request: MapRequest): GrantResult<number> => {
  const { dom, ref, flags } = request;
  const readOnly = isReadOnly(flags);
  if (ref >= entryCount(machine, dom)) return refused(machine, 'bad_gntref', 'gnttab/map-ref');
  const active = activeAt(machine, dom, ref);
  if (active && (active.domid !== caller.domid || isFull(machine, active, countsOf(flags))))
    return refused(machine, 'general_error', 'gnttab/map-active');

  let m = machine;
  if (begin(active, readOnly).looks) {
    const entry = sharedEntry(m, dom, ref);
    if (!active && !permits(entry, caller.domid)) return refused(m, 'general_error', 'gnttab/map-entry');
    if (!readOnly && entry.flags & GTF.readonly) return refused(m, 'general_error', 'gnttab/map-read_only_entry');
    m = markInUse(m, dom, ref, readOnly);
  }
  const mfn = active ? active.mfn : sharedEntry(m, dom, ref).frame;
  if (active && ownerOf(m, mfn) !== dom) return refused(reduceMarks(m, dom, ref, readOnly), 'general_error', 'gnttab/map-frame_gone');
  const held = active ? { machine: addReference(m, mfn), errno: null } : getPage(m, dom, mfn);
  if (held.errno) return refused(reduceMarks(held.machine, dom, ref, readOnly), 'bad_page', 'gnttab/map-frame');

  return mapFrame(addCounts(held.machine, dom, ref, countsOf(flags), { mfn, domid: caller.domid }), caller, request, mfn);
};

const permits = ({ flags, domid }: { readonly flags: number; readonly domid: number }, grantee: number): boolean =>
  (flags & (GTF.type_mask | GTF.sub_page)) === GTF.permit_access && domid === grantee;

/** Take the uses that the mapping needs beside its first reference, and write the entry. */
const mapFrame = (machine: Machine, caller: VcpuRef, request: MapRequest, mfn: number): GrantResult<number> => {
  const { dom, ref, flags, hostAddr } = request;
  const undo = (m: Machine, uses: number, references: number): Machine => {
    let after = m;
    for (let i = 0; i < uses; i++) after = putPageType(after, mfn);
    for (let i = 0; i < references; i++) after = putPage(after, mfn);
    return reduceMarks(dropCounts(after, dom, ref, countsOf(flags)), dom, ref, isReadOnly(flags));
  };

  let m = machine;
  const both = (flags & BOTH) === BOTH;
  const uses = isReadOnly(flags) ? 0 : countsOf(flags).length;
  for (let taken = 0; taken < uses; taken++) {
    const used = getPageType(m, mfn, 'writable');
    if (used.errno) return refused(undo(used.machine, taken, 1), 'general_error', 'gnttab/map-write_conflict');
    m = used.machine;
  }
  if (both) m = addReference(m, mfn);
  if (!(flags & GNTMAP.host_map)) return okay(m, 'gnttab/map-done', mfn);
  const mapped = createHostMapping(m, caller, hostAddr, mfn, flags);
  if (!mapped.ok) return refused(undo(mapped.machine, uses, both ? 2 : 1), 'general_error', 'gnttab/map-no_entry');
  return okay(mapped.machine, 'gnttab/map-done', mfn);
};

const BOTH = GNTMAP.host_map | GNTMAP.device_map;
