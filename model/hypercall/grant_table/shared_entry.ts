/** Grant table entries as the granting domain wrote them, and the marks that Xen makes in them. */
import { GRANT_V1_PER_FRAME, GTF, grant_entry_v1 } from '#spec/abi/grant_table.ts';
import { cite } from '../../journal.ts';
import { setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read, write } from '../../memory/access.ts';
import { fromNumber } from '../../word/word.ts';
import { activeAt, isWritten } from './active.ts';
import { grantsOf } from './handles.ts';

export type SharedEntry = { readonly flags: number; readonly domid: number; readonly frame: number };

/** References that the table has room for. */
export const entryCount = (machine: Machine, domid: number): number => grantsOf(machine, domid).frames.length * GRANT_V1_PER_FRAME;

const placeOf = (machine: Machine, domid: number, ref: number): { readonly mfn: number; readonly offset: number } => ({
  mfn: grantsOf(machine, domid).frames[Math.floor(ref / GRANT_V1_PER_FRAME)],
  offset: (ref % GRANT_V1_PER_FRAME) * grant_entry_v1.size,
});

export const sharedEntry = (machine: Machine, domid: number, ref: number): SharedEntry => {
  const { mfn, offset } = placeOf(machine, domid, ref);
  const { flags, domid: grantee, frame } = grant_entry_v1.fields;
  return {
    flags: read(machine.memory, mfn, offset + flags.at, 2).lo,
    domid: read(machine.memory, mfn, offset + grantee.at, 2).lo,
    frame: read(machine.memory, mfn, offset + frame.at, 4).lo >>> 0,
  };
};

const setFlags = (machine: Machine, domid: number, ref: number, flags: number): Machine => {
  const { mfn, offset } = placeOf(machine, domid, ref);
  return setMemory(machine, write(machine.memory, mfn, offset + grant_entry_v1.fields.flags.at, 2, fromNumber(flags)));
};

/** Mark the entry as being read, and written unless read-only. */
export const markInUse = (machine: Machine, domid: number, ref: number, readOnly: boolean): Machine => {
  const { flags } = sharedEntry(machine, domid, ref);
  return cite(setFlags(machine, domid, ref, flags | GTF.reading | (readOnly ? 0 : GTF.writing)), 'gnttab/map-marked');
};

/** Clear the marks that the mappings left do not need any more (`gnttab/unmap-marks`). */
export const reduceMarks = (machine: Machine, domid: number, ref: number, readOnly: boolean): Machine => {
  const active = activeAt(machine, domid, ref);
  const clear = (active ? 0 : GTF.reading) | (!readOnly && !isWritten(active) ? GTF.writing : 0);
  return clear === 0 ? machine : setFlags(machine, domid, ref, sharedEntry(machine, domid, ref).flags & ~clear);
};
