/** One page table update of mmu_update: at any level, or in a page that is no page table. */
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import { cite } from '../../journal.ts';
import { frame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import type { Subjects } from '../../page_type/l1_entry.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { getPageType, levelOf, putPageType } from '../../page_type/type.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { shr, toNumber, type Word } from '../../word/word.ts';
import { type Place, writeEntry } from './guest_l1e.ts';
import { type AccessedDirty, modL1Entry, modTableEntry } from './mod_entry.ts';

/** `ptr`: the entry's machine address; `val`: its new value. */
export type Update = { readonly ptr: Word; readonly val: Word; readonly who: Subjects };

export const ptUpdate = (machine: Machine, caller: VcpuRef, { ptr, val, who }: Update, ad: AccessedDirty): Verdict => {
  const place: Place = { mfn: toNumber(shr(ptr, 12)), index: (ptr.lo & 0xfff) >> 3 };
  if (ownerOf(machine, place.mfn) !== who.tables) return refuse(machine, 'EINVAL', 'mmu/update-page');

  const { type, typeRefs, validated } = frame(machine, place.mfn)!;
  if (typeRefs === 0) return writeUnused(machine, place, val);
  if (type === 'writable') return allow(cite(writeEntry(machine, place, val), 'mmu/update-plain'));
  const level = levelOf(type);
  // A table that stopped half way can neither be changed as a table nor be used otherwise.
  if (!level || !validated) return refuse(machine, 'EINVAL', 'mmu/update-type');

  const m = ad === 'preserve' ? cite(machine, 'mmu/update-preserve_ad') : machine;
  if (level === 1) return modL1Entry(m, place, val, who, ad);
  if (who.frames !== who.tables) return refuse(m, 'EINVAL', 'mmu/update-entry');
  const changed = modTableEntry(m, place, val, { level, domid: who.tables, current: caller }, ad);
  return { ...changed, tableChanged: !changed.errno };
};

/** A page that nothing uses is used as a writable one for the moment. */
const writeUnused = (machine: Machine, place: Place, val: Word): Verdict => {
  const used = getPageType(machine, place.mfn, 'writable');
  if (used.errno) throw new ModelBug(`an unused page ${place.mfn.toString(16)} refused to be written`);
  return allow(cite(putPageType(writeEntry(used.machine, place, val), place.mfn), 'mmu/update-plain'));
};
