/** Changing an entry of a page table in use. Chapter: spec/chapters/memory.md, "Changing an entry". */
import type { VcpuRef } from '#spec/event.ts';
import { mayUseDevices } from '../../domain/io_caps.ts';
import { cite } from '../../journal.ts';
import { domainOf, frame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { getPageFromL1e, putPageFromL1e, type Subjects } from '../../page_type/l1_entry.ts';
import { isGuestL4Slot } from '../../page_type/l4_slots.ts';
import { adjusted, allowedInPaeL3, disallowed, isPresent, type Level, PTE, sameButHarmless, xenL2Slot } from '../../page_type/pte.ts';
import { deferPageFromTableEntry, getPageFromTableEntry } from '../../page_type/table_entry.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { Word } from '../../word/word.ts';
import { entryAt, type Place, writeEntry } from './guest_l1e.ts';

/** Keep the old entry's accessed and dirty bits, or write the new one as it is. */
export type AccessedDirty = 'preserve' | 'replace';

/** Write `next` into a level 1 table. `who`: the table's owner, and for whom the new entry's frame is taken. */
export const modL1Entry = (machine: Machine, place: Place, next: Word, who: Subjects, ad: AccessedDirty): Verdict => {
  const old = entryAt(machine, place);
  if (!isPresent(next)) return replaced(store(machine, place, next, ad), (m) => putPageFromL1e(m, old));
  if ((next.lo & disallowed(1, mayUseDevices(machine, who.tables))) !== 0) return refuse(machine, 'EINVAL', 'mmu/entry-flags');

  const wanted = adjusted(next, 1, domainOf(machine, who.tables).pv32 !== undefined);
  if (sameButHarmless(old, wanted)) return allow(cite(store(machine, place, wanted, ad), 'mmu/entry-fast'));

  const told = domainOf(machine, who.tables).pv32 ? cite(machine, 'compat/l1-plain') : machine;
  const taken = getPageFromL1e(told, wanted, who);
  if (taken.errno) return refuse(taken.machine, taken.errno, 'mmu/entry-refused');
  const written = store(taken.machine, place, new Word(wanted.hi, wanted.lo ^ taken.flip), ad);
  return replaced(written, (m) => putPageFromL1e(m, old));
};

/** The entry of an L3 of four whose L2 has Xen's slots. */
const LAST_PAE_L3 = 3;

/** A table of level 2, 3 or 4 that belongs to `domid`, and the vCPU that changes it. */
export type TableOf = { readonly level: Level; readonly domid: number; readonly current: VcpuRef };

/** Write `next` into such a table. ERESTART: the table that the new entry is for was not validated as a whole yet. */
export const modTableEntry = (
  machine: Machine,
  place: Place,
  next: Word,
  { level, domid, current }: TableOf,
  ad: AccessedDirty,
): Verdict => {
  const { pv32 } = domainOf(machine, domid);
  if (level === 4 && (pv32 ? place.index !== 0 : !isGuestL4Slot(place.index))) return refuse(machine, 'EINVAL', 'mmu/entry-xen_slot');
  if (pv32 && level === 3 && place.index >= LAST_PAE_L3) return refuse(machine, 'EINVAL', 'compat/l3-last');
  if (pv32 && frame(machine, place.mfn)!.paeXen && place.index >= xenL2Slot(pv32.virtStart))
    return refuse(machine, 'EPERM', 'compat/l2-xen_slots');
  const old = entryAt(machine, place);
  const giveBackOld = (m: Machine): Machine => deferPageFromTableEntry(m, current, old, place.mfn);
  if (!isPresent(next)) return replaced(store(machine, place, next, ad), giveBackOld);
  if (pv32 && level === 3 ? !allowedInPaeL3(next) : (next.lo & disallowed(level, false)) !== 0)
    return refuse(machine, 'EINVAL', 'mmu/entry-flags');

  const wanted = adjusted(next, level, pv32 !== undefined);
  if (sameButHarmless(old, wanted)) return allow(cite(store(machine, place, wanted, ad), 'mmu/entry-fast'));

  const taken = getPageFromTableEntry(machine, current, wanted, { table: place.mfn, level, domid, resumed: false, keep: false });
  if (taken.errno === 'ERESTART') return taken;
  if (taken.errno) return refuse(taken.machine, taken.errno, 'mmu/entry-refused');
  return replaced(store(taken.machine, place, wanted, ad), giveBackOld);
};

const store = (machine: Machine, place: Place, next: Word, ad: AccessedDirty): Machine => {
  const kept = ad === 'preserve' ? entryAt(machine, place).lo & (PTE.A | PTE.D) : 0;
  return writeEntry(machine, place, new Word(next.hi, next.lo | kept));
};

const replaced = (machine: Machine, giveBackOld: (machine: Machine) => Machine): Verdict =>
  allow(cite(giveBackOld(machine), 'mmu/entry-replaced'));
