/** GNTTABOP_setup_table: grow a grant table and tell where its frames are. */
import { GNTST, type Gntst, gnttab } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk, copyFromGuest, copyToGuest, writeGuestWord } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { add, addInt, fromNumber, type Word } from '../../word/word.ts';
import { mayTarget, self } from '../domids.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { grantsOf, updateGrants } from './handles.ts';
import { versionOf } from './shared_entry.ts';
import { populateStatusFrames, takeFromHeap } from './status_frames.ts';

const FIELDS = gnttab.setup_table.fields;

export const setupTable = (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
  if (count !== 1) return fail(machine, 'EINVAL', 'gnttab/setup_table-count');
  const read = copyFromGuest(machine, caller, uop, gnttab.setup_table.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'gnttab/setup_table-argument');
  const list = wordIn(read.bytes, FIELDS.frame_list.at);
  const frames = fieldOf(read.bytes, FIELDS.nr_frames);
  if (!arrayOk(list, frames, 8)) return fail(read.machine, 'EFAULT', 'gnttab/setup_table-argument');

  const { machine: m, status, clause } = setUp(read.machine, caller, self(fieldOf(read.bytes, FIELDS.dom), caller), frames, list);
  const told = emit(cite(m, clause), { kind: 'operation', at: caller, name: 'grant_table_op/setup_table', result: GNTST[status] });
  const bytes = withFields(read.bytes, gnttab.setup_table, { status: GNTST[status] }).slice(
    FIELDS.status.at,
    FIELDS.status.at + FIELDS.status.size,
  );
  const written = copyToGuest(told, caller, addInt(uop, FIELDS.status.at), bytes);
  return written.ok ? done(written.machine, 'gnttab/setup_table-done') : fail(written.machine, 'EFAULT', 'gnttab/setup_table-done');
};

type SetUp = { readonly machine: Machine; readonly status: Gntst; readonly clause: ClauseId };

const setUp = (machine: Machine, caller: VcpuRef, domid: number, frames: number, list: Word): SetUp => {
  if (!findDomain(machine, domid)) return { machine, status: 'bad_domain', clause: 'gnttab/setup_table-domain' };
  if (!mayTarget(caller, domid)) return { machine, status: 'permission_denied', clause: 'gnttab/setup_table-permission' };
  if (frames > machine.config.xen.max_grant_frames) return { machine, status: 'general_error', clause: 'gnttab/setup_table-too_many' };
  const grown = growTable(machine, domid, frames);
  return grown
    ? listFrames(grown, caller, domid, frames, list)
    : { machine, status: 'general_error', clause: 'gnttab/setup_table-too_many' };
};

/** Add frames of Xen's heap until the table has `frames`, and what marks of use they need; null when the heap runs out. */
export const growTable = (machine: Machine, domid: number, frames: number): Machine | null => {
  const has = grantsOf(machine, domid).frames;
  if (frames <= has.length) return machine;
  const taken = takeFromHeap(machine, domid, frames - has.length);
  const marked = taken && versionOf(machine, domid) === 2 ? populateStatusFrames(taken.machine, domid, frames) : taken?.machine;
  return marked ? cite(updateGrants(marked, domid, { frames: [...has, ...taken!.frames] }), 'gnttab/setup_table-grown') : null;
};

const listFrames = (machine: Machine, caller: VcpuRef, domid: number, frames: number, list: Word): SetUp => {
  let m = machine;
  let status: Gntst = 'okay';
  for (const [i, mfn] of grantsOf(machine, domid).frames.slice(0, frames).entries()) {
    const written = writeGuestWord(m, caller, add(list, fromNumber(8 * i)), fromNumber(mfn));
    m = written.machine;
    if (!written.ok) status = 'bad_virt_addr';
  }
  return { machine: m, status, clause: 'gnttab/setup_table-list' };
};
