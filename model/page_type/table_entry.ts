/** What an entry of a level 2, 3 or 4 table takes hold of, and gives back. */
import type { VcpuRef } from '#spec/event.ts';
import { domainOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import type { Word } from '../word/word.ts';
import { getLinear } from './linear.ts';
import { deferPut, isDeferred } from './old_table.ts';
import { allowedInPaeL3, disallowed, frameOf, isPresent, type Level } from './pte.ts';
import { getPage, putPage } from './references.ts';
import { type Giving, getTableType, putTableType } from './table_type.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

/**
 * An entry of `table`, which is of level 2 to 4, on behalf of `domid`. `resumed`: the entry's reference was taken before its table
 * stopped half way. `keep`: if that happens now, the entry keeps its reference.
 */
export type Taking = {
  /** It is the last entry of an L3 of four: the L2 there has Xen's slots. */
  readonly paeXen?: boolean;
  readonly table: number;
  readonly level: Level;
  readonly domid: number;
  readonly resumed: boolean;
  readonly keep: boolean;
};

/** Take what a present entry points to: a table of the level below, or by exception of its own level. */
export const getPageFromTableEntry = (machine: Machine, current: VcpuRef, pte: Word, taking: Taking): Verdict => {
  const { table, level, domid } = taking;
  const isPaeL3 = level === 3 && domainOf(machine, domid).pv32 !== undefined;
  if (isPaeL3 ? !allowedInPaeL3(pte) : (pte.lo & disallowed(level, false)) !== 0)
    return refuse(machine, 'EINVAL', isPaeL3 ? 'compat/l3-flags' : 'page_type/entry-flags');
  const below = getPageAndTable(machine, current, domid, frameOf(pte), (level - 1) as Level, taking);
  if (below.errno !== 'EINVAL' || isPaeL3) return below;
  const linear = getLinear(below.machine, pte, table, level, domid);
  return linear ? allow(linear) : refuse(below.machine, 'EINVAL', 'page_type/linear');
};

const ANEW = { resumed: false, keep: false };

/** Take a reference and a use as a page table. On refusal the reference is given back, unless something still needs it. */
export const getPageAndTable = (
  machine: Machine,
  current: VcpuRef,
  domid: number,
  mfn: number,
  level: Level,
  { resumed, keep, paeXen }: Pick<Taking, 'resumed' | 'keep' | 'paeXen'> = ANEW,
): Verdict => {
  const held = resumed ? allow(machine) : getPage(machine, domid, mfn);
  if (held.errno) return held;
  const used = getTableType(held.machine, current, mfn, level, paeXen);
  const stays = !used.errno || resumed || isDeferred(used.machine, current, mfn) || (keep && used.errno === 'ERESTART');
  return stays ? used : { ...used, machine: putPage(used.machine, mfn) };
};

/** Give back a use as a page table and a reference; with ERESTART neither is over yet, and the reference stays. */
export const putPageAndTable = (machine: Machine, current: VcpuRef, mfn: number, giving?: Giving): Verdict => {
  const put = putTableType(machine, current, mfn, giving);
  return put.errno ? put : allow(putPage(put.machine, mfn));
};

/** The same, but later: the entry was replaced by a call that may not take long (`mmu/deferred`). */
export const deferPageFromTableEntry = (machine: Machine, current: VcpuRef, pte: Word, table: number): Machine =>
  !isPresent(pte) || frameOf(pte) === table ? machine : deferPut(machine, current, { mfn: frameOf(pte), table, partial: false });

/** Give back what an entry of a table held. An entry for the table itself held nothing (`page_type/linear-self`). */
export const putPageFromTableEntry = (machine: Machine, current: VcpuRef, pte: Word, giving: Giving): Verdict =>
  !isPresent(pte) || frameOf(pte) === giving.table ? allow(machine) : putPageAndTable(machine, current, frameOf(pte), giving);
