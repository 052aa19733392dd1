/** Validation: a frame is to become a page table, so each of its entries is checked and takes what it refers to. */

import type { Errno } from '#spec/abi/errno.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug, NotModelled } from '#spec/failure.ts';
import { compatM2pEntries } from '../domain/compat_m2p.ts';
import type { PartialTable } from '../frame_table.ts';
import { countQuestions, isForced, somethingWaits } from '../hypercall/preempt.ts';
import { cite } from '../journal.ts';
import { changingFrames, domainOf, frame, setMemory, updateFrame } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { type Memory, pageOf, readWord, withPageOf, writeWord } from '../memory/memory.ts';
import { pageWithWords } from '../memory/page.ts';
import { equal, fromBigInt, Word, ZERO } from '../word/word.ts';
import { spend } from '../work.ts';
import { giveBackL1, isEmptyRun } from './demote.ts';
import { getPageFromL1e, own } from './l1_entry.ts';
import { initXenL4Slots, isGuestL4Slot } from './l4_slots.ts';
import { deferPut, isDeferred } from './old_table.ts';
import { adjusted, ENTRIES, frameOf, isPresent, type Level, unadjusted, xenL2Slot } from './pte.ts';
import { getPageFromTableEntry } from './table_entry.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

/**
 * Validate `mfn` as a table of `level` of the domain that owns it, `from` on. On refusal nothing is held (but see `stopped`), and
 * earlier entries are adjusted. ERESTART: the frame's `partial` says how far it got.
 */
export const promote = (machine: Machine, current: VcpuRef, mfn: number, level: Level, from: PartialTable): Verdict => {
  const domid = frame(machine, mfn)!.owner;
  if (domid === null) throw new ModelBug(`frame ${mfn.toString(16)} has no owner to validate it for`);
  if (level === 1) return promoteL1(machine, mfn, domid);
  const { pv32 } = domainOf(machine, domid);
  if (pv32 && level === 4) throw new NotModelled('compat/page_type-l4');
  if (pv32 && level === 3) return promotePaeL3(machine, current, mfn, domid, from);
  const end = pv32 && frame(machine, mfn)!.paeXen ? xenL2Slot(pv32.virtStart) : ENTRIES;
  const isAsking = isInterruptible(level);
  spend(machine, 'slot', isAsking ? 1 : ENTRIES - from.entries);
  // Nothing that validation does changes what waits.
  const hurried = isInterruptible(level) && somethingWaits(machine, current);
  let m = machine;
  let asked = 0;
  const skips = !hurried && machine.forced.length === 0;
  for (let index = from.entries; index < ENTRIES; index++) {
    if (skips && (index & 31) === 0 && isEmptyRun(m, mfn, index)) {
      if (isInterruptible(level)) asked += index === from.entries ? 31 : 32;
      index += 31;
      continue;
    }
    if (isInterruptible(level) && index > from.entries) {
      asked++;
      if (hurried || isForced(m, asked)) return interrupted(countQuestions(m, asked), mfn, { entries: index, nested: false });
    }
    const pte = readWord(m.memory, mfn, index);
    if (!isPresent(pte) || index >= end || (level === 4 && !isGuestL4Slot(index))) continue;
    m = askedOften(m, asked);
    asked = 0;
    const resumed = from.nested && index === from.entries;
    const taken = getPageFromTableEntry(m, current, pte, { table: mfn, level, domid, resumed, keep: true });
    if (taken.errno === 'ERESTART') return interrupted(taken.machine, mfn, { entries: index, nested: true });
    if (taken.errno) return { machine: stopped(taken.machine, current, mfn, { index, pte, resumed }), errno: taken.errno };
    m = rewrite(taken.machine, mfn, index, pte, adjusted(pte, level, pv32 !== undefined));
  }
  m = askedOften(m, asked);
  if (end < ENTRIES) return allow(initXenL2Slots(m, mfn, end));
  return allow(level === 4 ? initXenL4Slots(m, mfn, domid) : cite(m, 'page_type/table-validated'));
};

/** compat/l3-table: the L3 of a 32-bit domain has four entries; the last of them must be there, and Xen's slots go into its L2. */
const promotePaeL3 = (machine: Machine, current: VcpuRef, mfn: number, domid: number, from: PartialTable): Verdict => {
  const hurried = somethingWaits(machine, current);
  let m = cite(setMemory(machine, emptyBehindPaeL3(machine.memory, mfn)), 'compat/l3-table');
  for (let index = from.entries; index < PAE_L3_ENTRIES; index++) {
    const nested = from.nested && index === from.entries;
    if (index > from.entries) {
      m = countQuestions(m, 1);
      if (hurried || isForced(m, 0)) return interrupted(m, mfn, { entries: index, nested: false });
    }
    spend(m, 'slot');
    const isLast = index === PAE_L3_ENTRIES - 1;
    const pte = readWord(m.memory, mfn, index);
    if (!isPresent(pte) && !isLast) continue;
    const taken: Verdict = isPresent(pte)
      ? getPageFromTableEntry(m, current, pte, { table: mfn, level: 3, domid, resumed: nested, keep: true, paeXen: isLast })
      : refuse(m, 'EINVAL', 'compat/l3-last');
    if (taken.errno === 'ERESTART') return interrupted(taken.machine, mfn, { entries: index, nested: true });
    if (taken.errno) {
      const failed = stopped(taken.machine, current, mfn, { index, pte, resumed: nested });
      return { machine: unadjustBelow(failed, mfn, index), errno: taken.errno };
    }
    if (isLast && frame(taken.machine, frameOf(pte))!.typeRefs !== 1) throw new NotModelled('compat/shared_xen_l2');
    m = rewrite(isLast ? cite(taken.machine, 'compat/l3-last') : taken.machine, mfn, index, pte, adjusted(pte, 3, true));
  }
  return allow(cite(m, 'page_type/table-validated'));
};

const PAE_L3_ENTRIES = 4;

const emptyBehindPaeL3 = (memory: Memory, mfn: number): Memory => {
  let m = memory;
  for (let index = PAE_L3_ENTRIES; index < ENTRIES; index++) m = writeWord(m, mfn, index, ZERO);
  return m;
};

const unadjustBelow = (machine: Machine, mfn: number, end: number): Machine => {
  let { memory } = machine;
  for (let index = 0; index < end; index++) memory = writeWord(memory, mfn, index, unadjusted(readWord(memory, mfn, index)));
  return cite(setMemory(machine, memory), 'compat/l3-unadjusted');
};

/** compat/l2-xen_slots: Xen's part of the addresses, from where it begins in this domain. */
const initXenL2Slots = (machine: Machine, mfn: number, first: number): Machine => {
  const entries = compatM2pEntries(machine.config);
  let { memory } = machine;
  for (let index = first; index < ENTRIES; index++) memory = writeWord(memory, mfn, index, fromBigInt(entries[index - first] ?? 0n));
  return cite(cite(setMemory(machine, memory), 'compat/l2-xen_slots'), 'page_type/table-validated');
};

/** The same for a level 1 table, which nothing interrupts: what was refused gives back at once what its earlier entries took. */
const promoteL1 = (machine: Machine, mfn: number, domid: number): Verdict => {
  const who = own(domid);
  const pv32 = domainOf(machine, domid).pv32 !== undefined;
  spend(machine, 'slot', ENTRIES);
  let refusal: { readonly index: number; readonly errno: Errno } | null = null;
  const taken = changingFrames(machine, (before) => {
    const written: Word[] = [];
    let m = before;
    for (let index = 0; index < ENTRIES; index++) {
      const pte = readWord(m.memory, mfn, index);
      if (!isPresent(pte)) {
        if ((index & 31) === 0 && isEmptyRun(m, mfn, index)) index += 31;
        continue;
      }
      const { machine: after, errno, flip } = getPageFromL1e(m, pte, who);
      m = after;
      if (errno) {
        refusal = { index, errno };
        break;
      }
      const next = adjusted(new Word(pte.hi, pte.lo ^ flip), 1, pv32);
      if (!equal(pte, next)) {
        written[index] = next;
        m = cite(m, 'page_type/l1-adjust');
      }
    }
    const page = pageOf(m.memory, mfn);
    return written.length === 0 ? m : setMemory(m, withPageOf(m.memory, mfn, pageWithWords(page, written)));
  });
  if (refusal === null) return allow(cite(taken, 'page_type/l1-validated'));
  const { index, errno }: { readonly index: number; readonly errno: Errno } = refusal;
  return { machine: giveBackL1(cite(taken, 'page_type/validate-failed'), mfn, index), errno };
};

/** Questions before as many slots of a table, the last of which is looked at now. */
export const askedOften = (machine: Machine, count: number): Machine => {
  const m = countQuestions(machine, count);
  if (count > 0) spend(m, 'slot');
  return m;
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
 * An entry was refused. Giving back what the earlier entries took waits, unless it was the very first entry. If what waits already is the very table of the refused entry, it becomes this table's to give
 * back. Any other one that waits (a table further down, below one that was refused at its first entry) is lost: it stays half done.
 */
const stopped = (machine: Machine, current: VcpuRef, mfn: number, { index, pte, resumed }: Refused): Machine => {
  const m = cite(machine, 'page_type/validate-failed');
  if (index === 0) return m;
  const partial = { entries: index, nested: resumed || isDeferred(m, current, frameOf(pte)) };
  return deferPut(updateFrame(m, mfn, { partial }), current, { mfn, table: null, partial: true });
};

const rewrite = (machine: Machine, mfn: number, index: number, old: Word, next: Word): Machine =>
  equal(old, next) ? machine : cite(setMemory(machine, writeWord(machine.memory, mfn, index, next)), 'page_type/l1-adjust');
