/** Validation: a frame is to become a page table, so each of its entries is checked and takes what it refers to. */
import { ModelBug } from '#spec/failure.ts';
import { cite } from '../journal.ts';
import { frame, setMemory, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord, writeWord } from '../memory/memory.ts';
import { equal, Word } from '../word/word.ts';
import { giveBack } from './demote.ts';
import { getPageFromL1e, own } from './l1_entry.ts';
import { initXenL4Slots, isGuestL4Slot } from './l4_slots.ts';
import { deferPut } from './old_table.ts';
import { adjusted, ENTRIES, isPresent, type Level } from './pte.ts';
import { getPageFromTableEntry } from './table_entry.ts';
import { allow, type Verdict } from './verdict.ts';

/** Validate `mfn` as a table of `level` of the domain that owns it. On refusal nothing is held, but earlier entries are adjusted. */
export const promote = (machine: Machine, mfn: number, level: Level): Verdict => {
  const domid = frame(machine, mfn)!.owner;
  if (domid === null) throw new ModelBug(`frame ${mfn.toString(16)} has no owner to validate it for`);
  let m = machine;
  for (let index = 0; index < ENTRIES; index++) {
    const pte = readWord(m.memory, mfn, index);
    if (!isPresent(pte) || (level === 4 && !isGuestL4Slot(index))) continue;
    const taken = takeEntry(m, pte, mfn, level, domid);
    if (taken.errno) return { machine: stopped(cite(taken.machine, 'page_type/validate-failed'), mfn, level, index), errno: taken.errno };
    m = rewrite(taken.machine, mfn, index, pte, adjusted(new Word(pte.hi, pte.lo ^ taken.flip), level));
  }
  return allow(level === 4 ? initXenL4Slots(m, mfn, domid) : cite(m, level === 1 ? 'page_type/l1-validated' : 'page_type/table-validated'));
};

/**
 * The entry number `index` was refused. A level 1 table gives back at once what its earlier entries took; a table of a higher level
 * waits with it, unless it was the very first entry. What the refused entry itself left waiting is then this table's to give back.
 */
const stopped = (machine: Machine, mfn: number, level: Level, index: number): Machine => {
  if (level === 1) return giveBack(machine, mfn, level, index);
  if (index === 0) return machine;
  const partial = { entries: index, nested: Boolean(machine.oldGuestTable) };
  return deferPut(updateFrame(machine, mfn, { partial }), { mfn, table: null, partial: true });
};

const takeEntry = (machine: Machine, pte: Word, table: number, level: Level, domid: number): Verdict & { readonly flip: number } =>
  level === 1 ? getPageFromL1e(machine, pte, own(domid)) : { ...getPageFromTableEntry(machine, pte, table, level, domid), flip: 0 };

const rewrite = (machine: Machine, mfn: number, index: number, old: Word, next: Word): Machine =>
  equal(old, next) ? machine : cite(setMemory(machine, writeWord(machine.memory, mfn, index, next)), 'page_type/l1-adjust');
