/**
 * What emulators are known to do otherwise than processors: defects of theirs as data, each with a finding that says why. A repair
 * undoes one in a peer's record; what agrees afterwards counts as explained by the repairs that changed something.
 */
import type { SystemCase } from '../../image/bare/case.ts';
import type { RecordField } from '../../image/bare/layout.ts';
import { RECORD_FIELDS } from '../../image/bare/layout.ts';
import type { CaseRecord } from '../../image/bare/result.ts';
import { fieldsThatDiffer } from './compare.ts';
import type { Outcome } from './runner.ts';

export type PeerName = 'qemu' | 'bochs';

/** Ours (both engines agree) and the peer's. */
export type Divergence = { readonly c: SystemCase; readonly ours: Outcome; readonly peer: Outcome };

/** Takes the peer's record nearer to ours where the defect shows. */
export type Repair = {
  readonly finding: string;
  readonly peer: PeerName;
  readonly why: string;
  readonly repair: (peer: CaseRecord, ours: CaseRecord, c: SystemCase) => CaseRecord;
};

/** The whole case goes another way. */
export type Explanation = {
  readonly finding: string;
  readonly peer: PeerName;
  readonly why: string;
  /** How ours ended and how the peer's did: vectors, or what took the machine away. `13>6`: #GP here, while the peer went on to the UD2. */
  readonly ways: readonly string[];
  /** Where both ended alike: the fields that may differ, no others. */
  readonly alike?: readonly (RecordField | 'memory')[];
  /** The cases that it is about. */
  readonly about: (c: SystemCase) => boolean;
  /** What else must hold of both records. */
  readonly and?: (ours: CaseRecord, peer: CaseRecord, c: SystemCase) => boolean;
};

const endOf = (o: Outcome): string => (o.kind === 'record' ? String(o.record.fields.vector) : o.kind);
export const wayOf = ({ ours, peer }: Divergence): string => `${endOf(ours)}>${endOf(peer)}`;

export const explains = ({ ways, alike = [], about, and }: Explanation, d: Divergence): boolean => {
  const { c, ours, peer } = d;
  if (!ways.includes(wayOf(d)) || !about(c)) return false;
  if (ours.kind !== 'record' || peer.kind !== 'record') return true;
  const [a, b] = [ours.record, peer.record];
  if (a.fields.vector === b.fields.vector && fieldsThatDiffer(a, b).some((name) => !alike.includes(name))) return false;
  return and?.(a, b, c) ?? true;
};

const FRAME: readonly RecordField[] = RECORD_FIELDS.filter((name) => /^f\d$/.test(name));

/** Words in which both differ exactly as `wrong` says become ours: in the frame, and where the frame lies in compared memory. */
export const repairWords = (
  peer: CaseRecord,
  ours: CaseRecord,
  wrong: (peer: number, ours: number, at: number | RecordField) => boolean,
): CaseRecord => {
  const fields = { ...peer.fields };
  for (const name of FRAME)
    if (
      fields[name] !== ours.fields[name] &&
      fields[name] <= 0xffffffffn &&
      wrong(Number(fields[name]), Number(ours.fields[name] & 0xffffffffn), name)
    )
      fields[name] = ours.fields[name];
  const known = new Map(ours.changes);
  const theirs = new Map(peer.changes);
  for (const at of new Set([...known.keys(), ...theirs.keys()])) {
    const [a, b] = [theirs.get(at), known.get(at)];
    if (a === b || !wrong(a ?? 0, b ?? 0, at)) continue;
    if (b === undefined) theirs.delete(at);
    else theirs.set(at, b);
  }
  return { ...peer, fields, changes: [...theirs].sort((x, y) => x[0] - y[0]) };
};

/** The same of whole fields. */
export const repairFields = (peer: CaseRecord, ours: CaseRecord, names: readonly RecordField[]): CaseRecord => ({
  ...peer,
  fields: { ...peer.fields, ...Object.fromEntries(names.map((name) => [name, ours.fields[name]])) },
});
