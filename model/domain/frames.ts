/** Who owns which frame, and what each is used for, when domains are built. */
import { BadInput } from '#spec/failure.ts';
import type { FrameType } from '#spec/observation.ts';
import { FRESH_FRAME, type Frame, withFrames } from '../frame_table.ts';
import { cite } from '../journal.ts';
import { frame, setFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import type { P2mFrames, PageTables } from './page_tables.ts';

/** The next frame of Xen's heap, given to a domain to be mapped: typed writable for good. */
export const takeHeap = (machine: Machine, domid: number): { machine: Machine; mfn: number } => {
  const mfn = machine.xenheapNext;
  if (mfn >= machine.config.layout.xenheap_end) throw new BadInput('configuration: the Xen heap is too small');
  const shared: Frame = { ...FRESH_FRAME, owner: domid, type: 'writable', typeRefs: 1, validated: true };
  return { machine: { ...setFrame(machine, mfn, shared), xenheapNext: mfn + 1 }, mfn };
};

/** Give a run of frames to a domain. Each carries the one reference of its allocation. */
export const ownRun = (machine: Machine, domid: number, first: number, count: number): Machine => {
  if (first + count > machine.config.frames) throw new BadInput('configuration: the domains need more memory than the machine has');
  return { ...machine, frames: withFrames(machine.frames, first, count, { ...FRESH_FRAME, owner: domid }) };
};

/**
 * Count what the initial mapping refers to: each page is mapped writable once, each page table is mapped read-only once and used
 * once, and the top-level table is pinned besides. Tables of a separate p2m list are not mapped.
 */
export const mapInitial = (
  machine: Machine,
  firstMfn: number,
  mapped: number,
  tables: PageTables,
  separate: P2mFrames | null,
  top: 3 | 4 = 4,
): Machine => {
  const { owner } = frame(machine, firstMfn)!;
  const writable: Frame = { ...FRESH_FRAME, owner, refs: 2, type: 'writable', typeRefs: 1, validated: true };
  let m: Machine = { ...machine, frames: withFrames(machine.frames, firstMfn, mapped, writable) };
  for (const [mfn, { level }] of tables) m = setFrame(m, mfn, tableFrame(owner, level, level === top ? 4 : 3, level === top));
  if (separate) {
    const first = Math.min(separate.mfnOf(0), ...separate.tables.keys());
    m = { ...m, frames: withFrames(m.frames, first, separate.count, writable) };
    for (const [mfn, { level }] of separate.tables) m = setFrame(m, mfn, tableFrame(owner, level, 2));
  }
  return cite(m, 'page_type/initial');
};

const tableFrame = (owner: number | null, level: 1 | 2 | 3 | 4, refs: number, pinned = false): Frame => ({
  ...FRESH_FRAME,
  owner,
  refs,
  type: `l${level}` satisfies FrameType,
  typeRefs: pinned ? 2 : 1,
  pinned,
  validated: true,
});
