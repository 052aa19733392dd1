/** GNTTABOP_query_size: how large a grant table is, and may become. */
import { GNTST, type Gntst, gnttab } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { mayTarget, self } from '../domids.ts';
import { type Fields, fieldOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { grantsOf } from './handles.ts';

type Out = Partial<Fields<typeof gnttab.query_size>>;

export const querySize = (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
  if (count !== 1) return fail(machine, 'EINVAL', 'gnttab/query_size-count');
  const read = copyFromGuest(machine, caller, uop, gnttab.query_size.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'gnttab/query_size-argument');
  const m = read.machine;
  const domid = self(fieldOf(read.bytes, gnttab.query_size.fields.dom), caller);

  const answer = (status: Gntst, clause: ClauseId, out: Out): HypercallResult => {
    const told = emit(cite(m, clause), { kind: 'operation', at: caller, name: 'grant_table_op/query_size', result: GNTST[status] });
    const written = copyToGuest(told, caller, uop, withFields(read.bytes, gnttab.query_size, { ...out, status: GNTST[status] }));
    return written.ok ? done(written.machine, clause) : fail(written.machine, 'EFAULT', 'gnttab/query_size-argument');
  };
  if (!findDomain(m, domid)) return answer('bad_domain', 'gnttab/query_size-domain', {});
  if (!mayTarget(caller, domid)) return answer('permission_denied', 'gnttab/query_size-permission', {});
  const sizes = { nr_frames: grantsOf(m, domid).frames.length, max_nr_frames: m.config.xen.max_grant_frames };
  return answer('okay', 'gnttab/query_size-done', sizes);
};
