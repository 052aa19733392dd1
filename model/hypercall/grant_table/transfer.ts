/** GNTTABOP_transfer: a frame for a domain that has an entry ready for it. */
import { GTF, GTF_TRANSFER, gnttab, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { FRESH_FRAME } from '../../frame_table.ts';
import { cite } from '../../journal.ts';
import { findDomain, frame, setFrame, setMemory, updateFrame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { clearPage, write } from '../../memory/access.ts';
import { adjustPages, loseFrame, setM2p } from '../../page_type/allocation.ts';
import { isKnown, isXenPage, ownerOf } from '../../page_type/owner.ts';
import { dirtyPcpus, flush } from '../../tlb.ts';
import { fromNumber } from '../../word/word.ts';
import { fieldsOf } from '../guest_struct.ts';
import { elementwise } from './elements.ts';
import { entryCount, placeOf, sharedEntry, versionOf } from './shared_entry.ts';
import { type GrantResult, okay, refused } from './status.ts';

const transfer = (machine: Machine, { domid }: VcpuRef, bytes: Uint8Array): GrantResult<null> => {
  const { mfn, domid: to, ref } = fieldsOf(bytes, gnttab.transfer);
  if (!isLoose(machine, domid, mfn)) return refused(machine, 'bad_page', 'gnttab/transfer-frame');
  const taken = take(machine, domid, mfn);
  // A frame of nobody's that is given back is erased, and what there was of translations has been flushed as it was taken.
  const lost = (status: 'bad_domain' | 'general_error', clause: ClauseId) => {
    const loose = loseFrame(setMemory(taken, clearPage(taken.memory, mfn)), mfn);
    return refused(updateFrame(loose, mfn, { usedUntil: 0 }), status, clause);
  };
  const receiver = findDomain(taken, to);
  if (!receiver) return lost('bad_domain', 'gnttab/transfer-domain');
  if (receiver.dying || receiver.pages >= receiver.maxPages) return lost('general_error', 'gnttab/transfer-room');
  if (!accepts(taken, to, ref, domid)) return lost('general_error', 'gnttab/transfer-entry');
  return okay(give(taken, to, ref, mfn), 'gnttab/transfer-done', null);
};

/** Its domain's, and nothing but its allocation refers to it. */
const isLoose = (machine: Machine, domid: number, mfn: number): boolean => {
  if (!isKnown(machine, mfn) || ownerOf(machine, mfn) !== domid || isXenPage(machine, mfn)) return false;
  const { refs, allocated } = frame(machine, mfn)!;
  return refs === 1 && allocated;
};

const take = (machine: Machine, domid: number, mfn: number): Machine => {
  const loose = updateFrame(adjustPages(machine, domid, -1), mfn, {
    owner: null,
    refs: 0,
    allocated: false,
    type: 'none',
    validated: false,
  });
  return flush(cite(loose, 'gnttab/transfer-taken'), dirtyPcpus(loose, domid));
};

const accepts = (machine: Machine, domid: number, ref: number, giver: number): boolean => {
  if (ref >= entryCount(machine, domid)) return false;
  const { flags, domid: from } = sharedEntry(machine, domid, ref);
  return flags === GTF.accept_transfer && from === giver;
};

const give = (machine: Machine, domid: number, ref: number, mfn: number): Machine => {
  const page = sharedEntry(machine, domid, ref).frame;
  const { usedUntil } = frame(machine, mfn)!;
  const owned = setFrame(adjustPages(machine, domid, 1), mfn, { ...FRESH_FRAME, owner: domid, usedUntil });
  const named = setM2p(owned, mfn, fromNumber(page));
  const { mfn: table, offset } = placeOf(named, domid, ref);
  const { flags, frame: at } = versionOf(named, domid) === 1 ? grant_entry_v1.fields : grant_entry_v2.fields;
  const said = GTF.accept_transfer | GTF_TRANSFER.committed | GTF_TRANSFER.completed;
  const memory = write(named.memory, table, offset + at.at, at.size as 4 | 8, fromNumber(mfn));
  return setMemory(named, write(memory, table, offset + flags.at, 2, fromNumber(said)));
};

export const transferFrames = elementwise('transfer', gnttab.transfer, transfer);
