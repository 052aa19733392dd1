/** GNTTABOP_get_status_frames: where the marks of use of version 2 are. */
import { GNTST, type Gntst, gnttab } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { arrayOk, copyFromGuest, copyToGuestUnchecked, writeGuestWord } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { addInt, fromNumber, type Word } from '../../word/word.ts';
import { mayTarget, self } from '../domids.ts';
import { bytesOfNumber, fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { grantsOf } from './handles.ts';

const FIELDS = gnttab.get_status_frames.fields;

export const getStatusFrames = (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
  if (count !== 1) return fail(machine, 'EINVAL', 'gnttab/get_status_frames-count');
  const argument = copyFromGuest(machine, caller, uop, gnttab.get_status_frames.size);
  if (!argument.ok) return fail(argument.machine, 'EFAULT', 'gnttab/get_status_frames-argument');
  const list = wordIn(argument.bytes, FIELDS.frame_list.at);
  const frames = fieldOf(argument.bytes, FIELDS.nr_frames);
  const listFirst = waysOf(machine.config.release)['get_status_frames-list_range'] === 'first';
  if (listFirst && !arrayOk(list, frames, 8)) return fail(argument.machine, 'EFAULT', 'gnttab/get_status_frames-argument');
  const told = tellFrames(argument.machine, caller, self(fieldOf(argument.bytes, FIELDS.dom), caller), frames, list);
  const { at, size } = FIELDS.status;
  const noted = emit(cite(told.machine, told.clause), {
    kind: 'operation',
    at: caller,
    name: 'grant_table_op/get_status_frames',
    result: GNTST[told.status],
  });
  const written = copyToGuestUnchecked(noted, caller, addInt(uop, at), bytesOfNumber(GNTST[told.status], size));
  return written.ok
    ? done(written.machine, 'gnttab/get_status_frames-done')
    : fail(written.machine, 'EFAULT', 'gnttab/get_status_frames-done');
};

type Told = { readonly machine: Machine; readonly status: Gntst; readonly clause: ClauseId };

const tellFrames = (machine: Machine, caller: VcpuRef, domid: number, frames: number, list: Word): Told => {
  if (!findDomain(machine, domid)) return { machine, status: 'bad_domain', clause: 'gnttab/get_status_frames-domain' };
  if (!mayTarget(caller, domid)) return { machine, status: 'permission_denied', clause: 'gnttab/get_status_frames-permission' };
  const has = grantsOf(machine, domid).statusFrames ?? [];
  if (frames > has.length) return { machine, status: 'general_error', clause: 'gnttab/get_status_frames-number' };
  let m = machine;
  let status: Gntst = 'okay';
  for (const [i, mfn] of has.slice(0, frames).entries()) {
    const place = addInt(list, 8 * i);
    const written = arrayOk(place, 1, 8) ? writeGuestWord(m, caller, place, fromNumber(mfn)) : { machine: m, ok: false };
    m = written.machine;
    if (!written.ok) status = 'bad_virt_addr';
  }
  return { machine: m, status, clause: 'gnttab/get_status_frames-list' };
};
