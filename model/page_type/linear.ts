/** Linear page tables: tables of one level that have entries for each other, so that a guest sees its tables as memory. */
import { cite } from '../journal.ts';
import { frame, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import type { Word } from '../word/word.ts';
import { ownerOf } from './owner.ts';
import { frameOf, isWritable, type Level } from './pte.ts';
import { getPage } from './references.ts';
import { TABLES } from './type.ts';

/** Both counts are kept in 16 bits, signed. */
const MOST = 0x7fff;

/** Take the entry as one for a table of its own level; null when that is not allowed. `table` holds the entry. */
export const getLinear = (machine: Machine, pte: Word, table: number, level: Level, domid: number): Machine | null => {
  if (isWritable(pte)) return null;
  const mfn = frameOf(pte);
  if (mfn === table) return cite(machine, 'page_type/linear-self');
  if (ownerOf(machine, table) !== domid) return null;
  const held = getPage(machine, domid, mfn);
  if (held.errno) return null;

  const entries = frame(held.machine, table)!.linear + 1;
  const other = frame(held.machine, mfn)!;
  const uses = other.linear - 1;
  if (entries <= 0 || entries > MOST || uses >= 0 || uses < -MOST) return null;
  if (other.type !== TABLES[level] || !other.validated) return null;
  const counted = updateFrame(held.machine, table, { linear: entries });
  return cite(updateFrame(counted, mfn, { linear: uses, typeRefs: other.typeRefs + 1 }), 'page_type/linear-other');
};

/** An entry of `table` for `mfn`, a table of the same level, goes away. */
export const endLinearUse = (machine: Machine, mfn: number, table: number): Machine => {
  const used = updateFrame(machine, mfn, { linear: frame(machine, mfn)!.linear + 1 });
  return updateFrame(used, table, { linear: frame(used, table)!.linear - 1 });
};
