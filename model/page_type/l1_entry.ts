/** What a level 1 entry takes hold of, and gives back. Chapter: spec/chapters/page_type.md, "What a level 1 entry may map". */
import { NO_FRAME } from '#spec/abi/iomem.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { mayMapIo, mayUseDevices } from '../domain/io_caps.ts';
import { isControlDomain } from '../hypercall/domids.ts';
import { cite } from '../journal.ts';
import type { Machine } from '../machine.ts';
import type { Word } from '../word/word.ts';
import { isIoMemory, isReadOnlyIo, isXenPage, ownerOf } from './owner.ts';
import { CACHE_ATTRIBUTES, disallowed, frameOf, isPresent, isWritable, PTE } from './pte.ts';
import { addReference, addReferenceAndType, putPage, putPageAndType } from './references.ts';
import { allow, refuse, type Verdict } from './verdict.ts';

/** Whose page table, whose frames, and who asks. The last two differ from the first only in calls that name foreign domains. */
export type Subjects = { readonly tables: number; readonly frames: number; readonly caller: number };

/** A domain that works on its own tables. */
export const own = (domid: number): Subjects => ({ tables: domid, frames: domid, caller: domid });

/** `flip`: flags of the low half that Xen turns over before it uses the entry. */
export type L1Verdict = Verdict & { readonly flip: number };

/** Take what a present level 1 entry maps. */
export const getPageFromL1e = (machine: Machine, pte: Word, who: Subjects): L1Verdict => {
  if ((pte.lo & disallowed(1, mayUseDevices(machine, who.tables))) !== 0) return plain(refuse(machine, 'EINVAL', 'page_type/entry-flags'));
  return isIoMemory(machine, frameOf(pte)) ? takeIo(machine, pte, who) : plain(takeRam(machine, pte, who));
};

const plain = ({ machine, errno }: Verdict): L1Verdict => ({ machine, errno, flip: 0 });

const takeIo = (machine: Machine, pte: Word, { tables, frames, caller }: Subjects): L1Verdict => {
  const mfn = frameOf(pte);
  const subject = frames === DOMID.IO ? caller : frames;
  if (!mayMapIo(machine, subject, mfn) || !mayMapIo(machine, tables, mfn))
    return plain(mfn === NO_FRAME ? refuse(machine, 'EINVAL', 'page_type/l1-io_none') : refuse(machine, 'EPERM', 'page_type/l1-io_denied'));
  const readOnly = isReadOnlyIo(mfn) && isWritable(pte);
  const told = readOnly ? cite(machine, 'page_type/l1-io_read_only') : machine;
  return { ...allow(cite(told, 'page_type/l1-io')), flip: (readOnly ? PTE.RW : 0) | towardsUncached(pte.lo & CACHE_ATTRIBUTES) };
};

const towardsUncached = (attributes: number): number => {
  if (attributes === 0) return PTE.PWT | PTE.PCD;
  if ((attributes & ~PTE.PAT) === PTE.PWT) return PTE.PCD | (attributes & PTE.PAT);
  return 0;
};

const takeRam = (machine: Machine, pte: Word, { tables, frames }: Subjects): Verdict => {
  const mfn = frameOf(pte);
  const owner = ownerOf(machine, mfn);
  // Domain 0 may lend its right to map anybody's frames to page tables that are not its own.
  const lent = owner !== null && frames !== tables && isControlDomain({ domid: frames });
  if (owner === null || (owner !== frames && !lent)) return refuse(machine, 'EBUSY', 'page_type/l1-foreign');

  const used = isWritable(pte) ? addReferenceAndType(machine, mfn, 'writable') : allow(addReference(machine, mfn));
  if (used.errno) return refuse(putPage(used.machine, mfn), 'EBUSY', 'page_type/l1-write_conflict');
  if ((pte.lo & CACHE_ATTRIBUTES) !== 0 && isXenPage(machine, mfn))
    return refuse(putPageFromL1e(used.machine, pte), 'EACCES', 'page_type/l1-cache');
  return allow(cite(used.machine, 'page_type/l1-own'));
};

/** Give back what a level 1 entry held, if it held anything. */
export const putPageFromL1e = (machine: Machine, pte: Word): Machine => {
  if (!isPresent(pte) || isIoMemory(machine, frameOf(pte))) return machine;
  const mfn = frameOf(pte);
  return cite(isWritable(pte) ? putPageAndType(machine, mfn) : putPage(machine, mfn), 'page_type/l1-put');
};
