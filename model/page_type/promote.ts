/** Validation: a frame is to become a page table, so each of its entries is checked and takes what it refers to. */

import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import type { PartialTable } from '../frame_table.ts';
import { countQuestions, isForced, somethingWaits } from '../hypercall/preempt.ts';
import { cite } from '../journal.ts';
import { frame, setMemory, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord, writeWord } from '../memory/memory.ts';
import { equal, Word } from '../word/word.ts';
import { giveBackL1 } from './demote.ts';
import { getPageFromL1e, own } from './l1_entry.ts';
import { initXenL4Slots, isGuestL4Slot } from './l4_slots.ts';
import { deferPut, isDeferred } from './old_table.ts';
import { adjusted, ENTRIES, frameOf, isPresent, type Level } from './pte.ts';
import { getPageFromTableEntry } from './table_entry.ts';
import { allow, type Verdict } from './verdict.ts';

/**
 * Validate `mfn` as a table of `level` of the domain that owns it, `from` on. On refusal nothing is held (but see `stopped`), and
 * earlier entries are adjusted. ERESTART: the frame's `partial` says how far it got.
 */
export const promote = (machine: Machine, current: VcpuRef, mfn: number, level: Level, from: PartialTable): Verdict => {
  const domid = frame(machine, mfn)!.owner;
  if (domid === null) throw new ModelBug(`frame ${mfn.toString(16)} has no owner to validate it for`);
  // Nothing that validation does changes what waits.
  const hurried = isInterruptible(level) && somethingWaits(machine, current);
  let m = machine;
  let asked = 0;
  for (let index = from.entries; index < ENTRIES; index++) {
    if (isInterruptible(level) && index > from.entries) {
      asked++;
      if (hurried || isForced(m, asked)) return interrupted(countQuestions(m, asked), mfn, { entries: index, nested: false });
    }
    const pte = readWord(m.memory, mfn, index);
    if (!isPresent(pte) || (level === 4 && !isGuestL4Slot(index))) continue;
    m = countQuestions(m, asked);
    asked = 0;
    const resumed = from.nested && index === from.entries;
    const taken = takeEntry(m, current, pte, { table: mfn, level, domid, resumed });
    if (taken.errno === 'ERESTART') return interrupted(taken.machine, mfn, { entries: index, nested: true });
    if (taken.errno) return { machine: stopped(taken.machine, current, mfn, level, { index, pte, resumed }), errno: taken.errno };
    m = rewrite(taken.machine, mfn, index, pte, adjusted(new Word(pte.hi, pte.lo ^ taken.flip), level));
  }
  m = countQuestions(m, asked);
  return allow(level === 4 ? initXenL4Slots(m, mfn, domid) : cite(m, level === 1 ? 'page_type/l1-validated' : 'page_type/table-validated'));
};

/** Levels whose tables Xen can stop in the middle of. A level 4 table stops only when a table below it does. */
export const isInterruptible = (level: Level): boolean => level === 2 || level === 3;

const interrupted = (machine: Machine, mfn: number, partial: PartialTable): Verdict => ({
  machine: cite(updateFrame(machine, mfn, { partial }), 'page_type/preempted-validation'),
  errno: 'ERESTART',
});

/** The entry that was refused. `resumed`: its reference was taken before the table stopped half way. */
type Refused = { readonly index: number; readonly pte: Word; readonly resumed: boolean };

/**
 * An entry was refused. A level 1 table gives back at once what its earlier entries took; a table of a higher level waits with it,
 * unless it was the very first entry. If what waits already is the very table of the refused entry, it becomes this table's to give
 * back. Any other one that waits (a table further down, below one that was refused at its first entry) is lost: it stays half done.
 */
const stopped = (machine: Machine, current: VcpuRef, mfn: number, level: Level, { index, pte, resumed }: Refused): Machine => {
  const m = cite(machine, 'page_type/validate-failed');
  if (level === 1) return giveBackL1(m, mfn, index);
  if (index === 0) return m;
  const partial = { entries: index, nested: resumed || isDeferred(m, current, frameOf(pte)) };
  return deferPut(updateFrame(m, mfn, { partial }), current, { mfn, table: null, partial: true });
};

type Entry = { readonly table: number; readonly level: Level; readonly domid: number; readonly resumed: boolean };

const takeEntry = (machine: Machine, current: VcpuRef, pte: Word, entry: Entry): Verdict & { readonly flip: number } =>
  entry.level === 1
    ? getPageFromL1e(machine, pte, own(entry.domid))
    : { ...getPageFromTableEntry(machine, current, pte, { ...entry, keep: true }), flip: 0 };

const rewrite = (machine: Machine, mfn: number, index: number, old: Word, next: Word): Machine =>
  equal(old, next) ? machine : cite(setMemory(machine, writeWord(machine.memory, mfn, index, next)), 'page_type/l1-adjust');
