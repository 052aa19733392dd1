/** Grant table entries as the granting domain wrote them, in either version, and the marks of use that Xen makes for them. */
import { GRANT_STATUS_PER_FRAME, GRANT_V1_PER_FRAME, GRANT_V2_PER_FRAME, grant_entry_v1, grant_entry_v2 } from '#spec/abi/grant_table.ts';
import { cite } from '../../journal.ts';
import { setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read, write } from '../../memory/access.ts';
import { fromNumber, toNumber } from '../../word/word.ts';
import { activeAt } from './active.ts';
import { grantsOf } from './handles.ts';
import { marksOf, needless } from './lifecycle.ts';

/** What an entry says. `part` and `passesOn` are meaningful for sub-page and transitive entries of version 2 alone. */
export type SharedEntry = {
  readonly flags: number;
  readonly domid: number;
  readonly frame: number;
  readonly part: { readonly offset: number; readonly length: number };
  readonly passesOn: { readonly domid: number; readonly ref: number };
};

export const versionOf = (machine: Machine, domid: number): 1 | 2 => grantsOf(machine, domid).version ?? 1;
const perFrame = (machine: Machine, domid: number): number => (versionOf(machine, domid) === 1 ? GRANT_V1_PER_FRAME : GRANT_V2_PER_FRAME);

/** References that the table has room for. */
export const entryCount = (machine: Machine, domid: number): number => grantsOf(machine, domid).frames.length * perFrame(machine, domid);

type Place = { readonly mfn: number; readonly offset: number };

/** Where an entry begins. */
export const placeOf = (machine: Machine, domid: number, ref: number): Place => {
  const count = perFrame(machine, domid);
  const { size } = versionOf(machine, domid) === 1 ? grant_entry_v1 : grant_entry_v2;
  return { mfn: grantsOf(machine, domid).frames[Math.floor(ref / count)], offset: (ref % count) * size };
};

const WHOLE = { offset: 0, length: 4096 };
const NOT = { domid: 0, ref: 0 };

export const sharedEntry = (machine: Machine, domid: number, ref: number): SharedEntry => {
  const { mfn, offset } = placeOf(machine, domid, ref);
  const field = ({ at, size }: { readonly at: number; readonly size: number }): number =>
    toNumber(read(machine.memory, mfn, offset + at, size as 2 | 4 | 8));
  if (versionOf(machine, domid) === 1) {
    const { flags, domid: grantee, frame } = grant_entry_v1.fields;
    return { flags: field(flags), domid: field(grantee), frame: field(frame), part: WHOLE, passesOn: NOT };
  }
  const { flags, domid: grantee, frame, page_off, length, trans_domid, trans_gref } = grant_entry_v2.fields;
  return {
    flags: field(flags),
    domid: field(grantee),
    frame: field(frame),
    part: { offset: field(page_off), length: field(length) },
    passesOn: { domid: field(trans_domid), ref: field(trans_gref) },
  };
};

/** gnttab/marks-v2: in version 1 marks stand among the entry's flags, in version 2 in a table of their own. */
export const marksAt = (machine: Machine, domid: number, ref: number): Place => {
  if (versionOf(machine, domid) === 1) {
    const { mfn, offset } = placeOf(machine, domid, ref);
    return { mfn, offset: offset + grant_entry_v1.fields.flags.at };
  }
  const frames = grantsOf(machine, domid).statusFrames ?? [];
  return { mfn: frames[Math.floor(ref / GRANT_STATUS_PER_FRAME)], offset: (ref % GRANT_STATUS_PER_FRAME) * 2 };
};

const changeMarks = (machine: Machine, domid: number, ref: number, set: number, clear: number): Machine => {
  const { mfn, offset } = marksAt(machine, domid, ref);
  const marks = (read(machine.memory, mfn, offset, 2).lo | set) & ~clear;
  const m = versionOf(machine, domid) === 1 ? machine : cite(machine, 'gnttab/marks-v2');
  return setMemory(m, write(m.memory, mfn, offset, 2, fromNumber(marks)));
};

/** Mark the entry as being read, and written unless read-only. */
export const markInUse = (machine: Machine, domid: number, ref: number, readOnly: boolean): Machine =>
  cite(changeMarks(machine, domid, ref, marksOf(readOnly), 0), 'gnttab/map-marked');

/** Clear the marks that the mappings left do not need any more (`gnttab/unmap-marks`). */
export const reduceMarks = (machine: Machine, domid: number, ref: number, readOnly: boolean): Machine => {
  const clear = needless(activeAt(machine, domid, ref), readOnly);
  return clear === 0 ? machine : changeMarks(machine, domid, ref, 0, clear);
};
