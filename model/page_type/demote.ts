/** The end of a page table: its entries give back what they hold. */
import type { VcpuRef } from '#spec/event.ts';
import type { PartialTable } from '../frame_table.ts';
import { countQuestions, isForced, somethingWaits } from '../hypercall/preempt.ts';
import { cite } from '../journal.ts';
import { changingFrames, domainOf, frame, setMemory, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { pageOf, readWord, writeWord } from '../memory/memory.ts';
import { EMPTY_LEAF } from '../memory/page.ts';
import type { Word } from '../word/word.ts';
import { spend } from '../work.ts';
import { putPageFromL1e } from './l1_entry.ts';
import { isGuestL4Slot } from './l4_slots.ts';
import { askedOften, isInterruptible } from './promote.ts';
import { ENTRIES, frameOf, isPresent, type Level, unadjusted, xenL2Slot } from './pte.ts';
import { putPageFromTableEntry } from './table_entry.ts';
import { allow, type Verdict } from './verdict.ts';

/** The entries of `part` give back what they hold, the last first. ERESTART: the frame's `partial` says what is left. */
export const demote = (machine: Machine, current: VcpuRef, mfn: number, level: Level, { entries, nested }: PartialTable): Verdict => {
  if (level === 1) return allow(giveBackL1(machine, mfn, entries));
  // Nothing that giving back does changes what waits.
  const hurried = isInterruptible(level) && somethingWaits(machine, current);
  const first = nested ? entries : entries - 1;
  const isAsking = isInterruptible(level);
  spend(machine, 'slot', isAsking ? Math.min(first + 1, 1) : first + 1);
  let m = machine;
  let asked = 0;
  const { pv32 } = domainOf(machine, frame(machine, mfn)!.owner!);
  const end = pv32 && frame(machine, mfn)!.paeXen ? xenL2Slot(pv32.virtStart) : ENTRIES;
  const skips = !hurried && machine.forced.length === 0;
  for (let index = first; index >= 0; index--) {
    if (skips && (index & 31) === 31 && isEmptyRun(m, mfn, index)) {
      if (isInterruptible(level)) asked += index === 31 ? 31 : 32;
      index -= 31;
      continue;
    }
    const pte = readWord(m.memory, mfn, index);
    if (isPresent(pte) && index < end && (level < 4 || isGuestL4Slot(index))) {
      m = askedOften(m, asked);
      asked = 0;
      const put = putPageFromTableEntry(m, current, pte, { table: mfn, partial: nested && index === first });
      if (put.errno) return interrupted(put.machine, mfn, { entries: index, nested: true });
      m = pv32 && level === 3 ? letGo(put.machine, mfn, index, pte) : put.machine;
    }
    if (isInterruptible(level) && index > 0) {
      asked++;
      if (hurried || isForced(m, asked)) return interrupted(countQuestions(m, asked), mfn, { entries: index, nested: false });
    }
  }
  return allow(askedOften(m, asked));
};

/** compat/l3-unadjusted */
const letGo = (machine: Machine, mfn: number, index: number, pte: Word): Machine =>
  frameOf(pte) === mfn ? machine : cite(setMemory(machine, writeWord(machine.memory, mfn, index, unadjusted(pte))), 'compat/l3-unadjusted');

const interrupted = (machine: Machine, mfn: number, partial: PartialTable): Verdict => ({
  machine: cite(updateFrame(machine, mfn, { partial }), 'page_type/preempted-end'),
  errno: 'ERESTART',
});

/** Nothing stands in the 32 entries that entry `index` is one of. */
export const isEmptyRun = ({ memory }: Machine, mfn: number, index: number): boolean =>
  pageOf(memory, mfn).leaves[index >> 5] === EMPTY_LEAF;

/** The entries of a level 1 table below `end` give back what they hold, the last first. */
export const giveBackL1 = (machine: Machine, mfn: number, end: number): Machine =>
  changingFrames(machine, (before) => {
    let m = before;
    spend(before, 'slot', end);
    for (let index = end - 1; index >= 0; index--) {
      const pte = readWord(m.memory, mfn, index);
      if (isPresent(pte)) m = putPageFromL1e(m, pte);
      else if ((index & 31) === 31 && isEmptyRun(m, mfn, index)) index -= 31;
    }
    return m;
  });
