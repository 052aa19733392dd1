/** GNTTABOP_set_version and GNTTABOP_get_version. */

import type { Errno } from '#spec/abi/errno.ts';
import { GNTTAB_NR_RESERVED_ENTRIES, GTF, gnttab, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { findDomain, setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { clearPage, read, write } from '../../memory/access.ts';
import { itemsOf } from '../../numbered.ts';
import { addInt, fromNumber, type Word } from '../../word/word.ts';
import { mayTarget, self } from '../domids.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { grantsOf, updateGrants } from './handles.ts';
import { isFree } from './lifecycle.ts';
import { placeOf, sharedEntry, versionOf } from './shared_entry.ts';
import { giveBackStatusFrames, populateStatusFrames } from './status_frames.ts';

export const setVersion = (machine: Machine, caller: VcpuRef, uop: Word): HypercallResult => {
  const { set_version } = gnttab;
  const argument = copyFromGuest(machine, caller, uop, set_version.size);
  if (!argument.ok) return fail(argument.machine, 'EFAULT', 'gnttab/set_version-argument');
  const asked = fieldOf(argument.bytes, set_version.fields.version);
  const set = change(argument.machine, caller.domid, asked);
  // Whatever came of it, the table's version is told.
  const version = versionOf(set.machine, caller.domid);
  const written = copyToGuest(set.machine, caller, uop, withFields(argument.bytes, set_version, { version }));
  if (!written.ok) return fail(written.machine, 'EFAULT', 'gnttab/set_version-argument');
  return set.errno ? fail(written.machine, set.errno, set.clause) : done(written.machine, set.clause);
};

type Change = { readonly machine: Machine; readonly errno: Errno | null; readonly clause: ClauseId };

const change = (machine: Machine, domid: number, asked: number): Change => {
  if (asked !== 1 && asked !== 2) return { machine, errno: 'EINVAL', clause: 'gnttab/set_version-unknown' };
  const now = versionOf(machine, domid);
  if (now === asked) return { machine, errno: null, clause: 'gnttab/set_version-same' };
  const active = itemsOf(grantsOf(machine, domid).active);
  if (active.some(([ref, grant]) => ref >= GNTTAB_NR_RESERVED_ENTRIES && !isFree('set_version', grant)))
    return { machine, errno: 'EBUSY', clause: 'gnttab/set_version-in_use' };
  return asked === 2 ? toSecond(machine, domid) : toFirst(machine, domid);
};

const RESERVED = Array.from({ length: GNTTAB_NR_RESERVED_ENTRIES }, (_, ref) => ref);
const MARKS = GTF.reading | GTF.writing;

const toSecond = (machine: Machine, domid: number): Change => {
  const kept = RESERVED.map((ref) => sharedEntry(machine, domid, ref));
  const populated = populateStatusFrames(machine, domid, grantsOf(machine, domid).frames.length);
  if (!populated) return { machine, errno: 'ENOMEM', clause: 'gnttab/status-populated' };
  let m = updateGrants(cleared(populated, domid), domid, { version: 2 });
  const { flags, domid: grantee, frame } = grant_entry_v2.fields;
  const status = grantsOf(m, domid).statusFrames![0];
  for (const ref of RESERVED) {
    const { mfn, offset } = placeOf(m, domid, ref);
    let memory = write(m.memory, status, 2 * ref, 2, fromNumber(kept[ref].flags & MARKS));
    memory = write(memory, mfn, offset + flags.at, 2, fromNumber(kept[ref].flags & ~MARKS));
    memory = write(memory, mfn, offset + grantee.at, 2, fromNumber(kept[ref].domid));
    m = setMemory(m, write(memory, mfn, offset + frame.at, 8, fromNumber(kept[ref].frame)));
  }
  return { machine: cite(m, 'gnttab/set_version-reserved'), errno: null, clause: 'gnttab/set_version-done' };
};

const typeOf = (flags: number): number => flags & GTF.type_mask;
const FITS = 2 ** 32;

const toFirst = (machine: Machine, domid: number): Change => {
  const entries = RESERVED.map((ref) => sharedEntry(machine, domid, ref));
  const lost = entries.some(
    ({ flags, frame }) => typeOf(flags) === GTF.transitive || (typeOf(flags) === GTF.permit_access && frame >= FITS),
  );
  if (lost) return { machine, errno: 'ERANGE', clause: 'gnttab/set_version-not_representable' };
  const status = grantsOf(machine, domid).statusFrames![0];
  const kept = entries.map((entry, ref) =>
    typeOf(entry.flags) === GTF.permit_access ? { ...entry, flags: entry.flags | read(machine.memory, status, 2 * ref, 2).lo } : null,
  );
  const given = giveBackStatusFrames(machine, domid);
  if (!given) return { machine, errno: 'EBUSY', clause: 'gnttab/set_version-status_mapped' };
  let m = updateGrants(cleared(given, domid), domid, { version: 1 });
  const { flags, domid: grantee, frame } = grant_entry_v1.fields;
  for (const [ref, entry] of kept.entries()) {
    if (!entry) continue;
    const { mfn, offset } = placeOf(m, domid, ref);
    let memory = write(m.memory, mfn, offset + flags.at, 2, fromNumber(entry.flags));
    memory = write(memory, mfn, offset + grantee.at, 2, fromNumber(entry.domid));
    m = setMemory(m, write(memory, mfn, offset + frame.at, 4, fromNumber(entry.frame)));
  }
  return { machine: cite(m, 'gnttab/set_version-reserved'), errno: null, clause: 'gnttab/set_version-done' };
};

/** Nothing of the old version is left in the table. */
const cleared = (machine: Machine, domid: number): Machine =>
  setMemory(machine, grantsOf(machine, domid).frames.reduce(clearPage, machine.memory));

export const getVersion = (machine: Machine, caller: VcpuRef, uop: Word): HypercallResult => {
  const { fields, size } = gnttab.get_version;
  const argument = copyFromGuest(machine, caller, uop, size);
  if (!argument.ok) return fail(argument.machine, 'EFAULT', 'gnttab/get_version-argument');
  const domid = self(fieldOf(argument.bytes, fields.dom), caller);
  if (!findDomain(argument.machine, domid)) return fail(argument.machine, 'ESRCH', 'gnttab/get_version-domain');
  if (!mayTarget(caller, domid)) return fail(argument.machine, 'EPERM', 'gnttab/get_version-permission');
  const version = Uint8Array.of(versionOf(argument.machine, domid), 0, 0, 0);
  const written = copyToGuest(argument.machine, caller, addInt(uop, fields.version.at), version);
  return written.ok ? done(written.machine, 'gnttab/get_version-done') : fail(written.machine, 'EFAULT', 'gnttab/get_version-argument');
};
