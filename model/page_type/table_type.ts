/** Uses of frames as page tables: the first one validates the table, the last one gives back what its entries hold. */

import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import { type PartialTable, WHOLE } from '../frame_table.ts';
import { cite } from '../journal.ts';
import { frame, setFrame, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { flushForType } from '../tlb.ts';
import { demote } from './demote.ts';
import { endLinearUse } from './linear.ts';
import { isDeferred } from './old_table.ts';
import { isCounted } from './owner.ts';
import { promote } from './promote.ts';
import type { Level } from './pte.ts';
import { addReference, putPage } from './references.ts';
import { levelOf, TABLES, unused } from './type.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

const FROM_START: PartialTable = { entries: 0, nested: false };

/**
 * Use a frame, to which the caller holds a reference, as a table of `level`. ERESTART: `current`, the vCPU at work, has to let
 * something else go first; the frame remembers how far it got.
 */
export const getTableType = (machine: Machine, current: VcpuRef, mfn: number, level: Level, paeXen = false): Verdict => {
  const type = TABLES[level];
  if (!isCounted(machine, mfn)) return refuse(machine, 'EINVAL', 'page_type/type-conflict');
  const { typeRefs, type: now, validated, partial, paeXen: isPaeXen = false } = frame(machine, mfn)!;
  if (typeRefs === 0) {
    const flushed = now === type && !paeXen ? machine : flushForType(machine, mfn);
    const fresh = updateFrame(flushed, mfn, { type, typeRefs: 1, validated: false, linear: 0, partial: null });
    const taken = paeXen ? setFrame(fresh, mfn, { ...frame(fresh, mfn)!, paeXen: true }) : fresh;
    return validate(cite(taken, 'page_type/type-first'), current, mfn, level, FROM_START);
  }
  if (now !== type || isPaeXen !== paeXen) return refuse(machine, 'EINVAL', 'page_type/type-conflict');
  if (validated) return allow(cite(updateFrame(machine, mfn, { typeRefs: typeRefs + 1 }), 'page_type/type-same'));
  if (!partial) throw new ModelBug(`frame ${mfn.toString(16)} is wanted as ${type} while it is being validated`);
  const resumed = cite(updateFrame(machine, mfn, { partial: null }), 'page_type/preempted-resumed');
  const checked = validate(resumed, current, mfn, level, partial);
  return { ...checked, machine: putPage(checked.machine, mfn) };
};

/** A table that stopped half way keeps its one use, and has a reference that stands for its state. */
const validate = (machine: Machine, current: VcpuRef, mfn: number, level: Level, from: PartialTable): Verdict => {
  const { machine: m, errno } = promote(machine, current, mfn, level, from);
  if (!errno) return allow(updateFrame(m, mfn, { validated: true }));
  const kept = errno === 'ERESTART' || isDeferred(m, current, mfn);
  return { machine: kept ? addReference(m, mfn) : updateFrame(plain(m, mfn), mfn, { type: 'none', typeRefs: 0, partial: null }), errno };
};

/** compat/l3-last: it is no longer the L2 with Xen's slots. */
const plain = (machine: Machine, mfn: number): Machine => {
  const { paeXen, ...rest } = frame(machine, mfn)!;
  return paeXen ? setFrame(machine, mfn, rest) : machine;
};

/**
 * How a use is given back. `table`: the page table whose entry was the use, if one was. `partial`: what is given back is not a use
 * but what a table that stopped half way holds, if it still does.
 */
export type Giving = { readonly table: number | null; readonly partial: boolean };
const PLAIN: Giving = { table: null, partial: false };

/** End one use as a page table; ERESTART as above. */
export const putTableType = (machine: Machine, current: VcpuRef, mfn: number, { table, partial }: Giving = PLAIN): Verdict => {
  const before = frame(machine, mfn)!;
  if (partial && !before.partial) return allow(machine);
  const level = levelOf(before.type);
  if (before.typeRefs === 0 || !level || (before.partial && !partial))
    throw new ModelBug(`frame ${mfn.toString(16)} has no use as a table to end`);
  const isLinear = table !== null && before.validated && frame(machine, table)!.type === before.type;
  const unlinked = (m: Machine): Machine => (isLinear ? endLinearUse(m, mfn, table) : m);
  if (before.typeRefs > 1) return allow(unlinked(updateFrame(machine, mfn, { typeRefs: before.typeRefs - 1 })));

  const opened = updateFrame(cite(machine, 'page_type/type-last'), mfn, { validated: false, partial: null });
  const emptied = demote(opened, current, mfn, level, before.partial ?? WHOLE);
  const counted = unlinked(emptied.machine);
  const ended = emptied.errno ? addReference(counted, mfn) : unused(cite(plain(counted, mfn), 'tlb/last-use'), mfn);
  return { machine: before.partial ? putPage(ended, mfn) : ended, errno: emptied.errno };
};
