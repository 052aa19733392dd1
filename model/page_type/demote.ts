/** The end of a page table: its entries give back what they hold. */
import type { Machine } from '../machine.ts';
import { readWord } from '../memory/memory.ts';
import { putPageFromL1e } from './l1_entry.ts';
import { isGuestL4Slot } from './l4_slots.ts';
import { undoPartial } from './old_table.ts';
import { ENTRIES, frameOf, type Level } from './pte.ts';
import { putPage } from './references.ts';
import { putPageFromTableEntry } from './table_entry.ts';

/** All entries of a table give back what they hold. */
export const demote = (machine: Machine, mfn: number, level: Level): Machine => giveBack(machine, mfn, level, ENTRIES);

/** The entries that were taken before one was refused give back what they hold, after what the refused one left behind. */
export const demotePartial = (
  machine: Machine,
  mfn: number,
  level: Level,
  { entries, nested }: { readonly entries: number; readonly nested: boolean },
): Machine => {
  const refused = frameOf(readWord(machine.memory, mfn, entries));
  return giveBack(nested ? putPage(undoPartial(machine, refused), refused) : machine, mfn, level, entries);
};

/** The entries below `end` give back what they hold, the last first. */
export const giveBack = (machine: Machine, mfn: number, level: Level, end: number): Machine => {
  let m = machine;
  for (let index = end - 1; index >= 0; index--) {
    if (level === 4 && !isGuestL4Slot(index)) continue;
    const pte = readWord(m.memory, mfn, index);
    m = level === 1 ? putPageFromL1e(m, pte) : putPageFromTableEntry(m, pte, mfn);
  }
  return m;
};
