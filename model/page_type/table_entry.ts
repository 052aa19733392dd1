/** What an entry of a level 2, 3 or 4 table takes hold of, and gives back. */
import type { Machine } from '../machine.ts';
import type { Word } from '../word/word.ts';
import { getLinear } from './linear.ts';
import { deferPut } from './old_table.ts';
import { disallowed, frameOf, isPresent, type Level } from './pte.ts';
import { getPageAndType, putPageAndType } from './references.ts';
import { TABLES } from './type.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

/** Take what a present entry of `table`, of level 2 to 4, points to: a table of the level below, or by exception of its own level. */
export const getPageFromTableEntry = (machine: Machine, pte: Word, table: number, level: Level, domid: number): Verdict => {
  if ((pte.lo & disallowed(level, false)) !== 0) return refuse(machine, 'EINVAL', 'page_type/entry-flags');
  const below = getPageAndType(machine, domid, frameOf(pte), TABLES[(level - 1) as Level]);
  if (below.errno !== 'EINVAL') return below;
  const linear = getLinear(below.machine, pte, table, level, domid);
  return linear ? allow(linear) : refuse(below.machine, 'EINVAL', 'page_type/linear');
};

/** The same, but later: the entry was replaced by a call that may not take long (`mmu/deferred`). */
export const deferPageFromTableEntry = (machine: Machine, pte: Word, table: number): Machine =>
  !isPresent(pte) || frameOf(pte) === table ? machine : deferPut(machine, { mfn: frameOf(pte), table, partial: false });

/** Give back what an entry of `table`, of level 2 to 4, held. An entry for the table itself held nothing (`page_type/linear-self`). */
export const putPageFromTableEntry = (machine: Machine, pte: Word, table: number): Machine =>
  !isPresent(pte) || frameOf(pte) === table ? machine : putPageAndType(machine, frameOf(pte), table);
