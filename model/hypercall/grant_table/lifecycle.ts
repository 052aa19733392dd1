/**
 * The life of a grant in use: what each use, and the end of one, makes of it, when Xen looks at the entry again, and which marks the entry
 * bears. The operations look here, and the diagram in spec/chapters/grant_table.md is drawn from here.
 */
import { GTF } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { ModelBug } from '#spec/failure.ts';
import type { ActiveGrant } from '../../domain.ts';

/** Nobody uses it; all who do read; somebody may write. */
export const USE_STATES = ['unused', 'read', 'written'] as const;
export type UseState = (typeof USE_STATES)[number];

/** `looks`: Xen reads the entry as it stands now, and marks it; else what it remembers of it decides. */
type Use = { readonly to: UseState; readonly looks: boolean };

const looksAtEntry = (to: UseState): Use => ({ to, looks: true });
const remembers = (to: UseState): Use => ({ to, looks: false });

/** A mapping, or a side of a copy, that begins (`gnttab/map-entry`, `gnttab/map-read_only_entry`, `gnttab/copy-entry`). */
export const BEGINS = {
  use_reading: { unused: looksAtEntry('read'), read: remembers('read'), written: remembers('written') },
  use_writing: { unused: looksAtEntry('written'), read: looksAtEntry('written'), written: remembers('written') },
} as const satisfies Readonly<Record<string, Readonly<Record<UseState, Use>>>>;

/** One that ends: what may be left, by how many others there are (`gnttab/unmap-marks`). */
export const ENDS = {
  end_reading: { read: ['read', 'unused'], written: ['written'] },
  end_writing: { written: ['written', 'read', 'unused'] },
} as const satisfies Readonly<Record<string, Partial<Readonly<Record<UseState, readonly UseState[]>>>>>;

type Stays = { readonly to: 'unused'; readonly clause: ClauseId };
type Refused = { readonly refused: ClauseId };

/** Operations that want an entry which nobody uses. */
export const WANTS_UNUSED = {
  swap_grant_ref: wants('gnttab/swap-done', 'gnttab/swap-in_use'),
  set_version: wants('gnttab/set_version-done', 'gnttab/set_version-in_use'),
} as const;

function wants(clause: ClauseId, refused: ClauseId): Readonly<Record<UseState, Stays | Refused>> {
  return { unused: { to: 'unused', clause }, read: { refused }, written: { refused } };
}

/** The marks that an entry bears in each state. */
const MARKS: Readonly<Record<UseState, number>> = { unused: 0, read: GTF.reading, written: GTF.reading | GTF.writing };

export const useOf = (active: ActiveGrant | null): UseState => {
  if (!active) return 'unused';
  if (active.hostWrite + active.deviceWrite > 0) return 'written';
  return active.hostRead + active.deviceRead > 0 ? 'read' : 'unused';
};

/** What a use makes of the grant as it is. */
export const begin = (active: ActiveGrant | null, readOnly: boolean): Use =>
  BEGINS[readOnly ? 'use_reading' : 'use_writing'][useOf(active)];

/** Whether an operation that wants it unused may have it. */
export const isFree = (operation: keyof typeof WANTS_UNUSED, active: ActiveGrant | null): boolean =>
  'to' in WANTS_UNUSED[operation][useOf(active)];

/** The marks that a use sets when it looks at the entry: those of reading, and those of writing too if it may write. */
export const marksOf = (readOnly: boolean): number => MARKS[readOnly ? 'read' : 'written'];

/** The marks of an ended use that those who are left do not need. One that only read leaves the mark of writing alone. */
export const needless = (active: ActiveGrant | null, readOnly: boolean): number => marksOf(readOnly) & ~MARKS[useOf(active)];

/** Every change of the counts is a step of the table. */
export const checkStep = (before: ActiveGrant | null, after: ActiveGrant, step: 'begin' | 'end', readOnly: boolean): void => {
  const [from, to] = [useOf(before), useOf(after)];
  const ends: Partial<Record<UseState, readonly UseState[]>> = ENDS[readOnly ? 'end_reading' : 'end_writing'];
  const may = step === 'begin' ? [begin(before, readOnly).to] : (ends[from] ?? []);
  if (!may.includes(to)) throw new ModelBug(`a use that ${step}s makes a grant ${to}, which was ${from}`);
};
