/** A grant that a copy uses: counted and marked as a mapping would be, for as long as the copy goes on. Xen's name: acquire_grant_for_copy. */
import { GTF } from '#spec/abi/grant_table.ts';
import { NotModelled } from '#spec/failure.ts';
import { waysOf } from '#spec/releases/changes.ts';
import type { ActiveGrant } from '../../domain.ts';
import { cite } from '../../journal.ts';
import { domainOf, findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { addReference, getPage, putPage } from '../../page_type/references.ts';
import { activeAt, addCounts, dropCounts, isFull } from './active.ts';
import { begin } from './lifecycle.ts';
import { entryCount, markInUse, reduceMarks, type SharedEntry, sharedEntry, versionOf } from './shared_entry.ts';
import { type GrantResult, okay, refused } from './status.ts';

/** The frame, with a reference that is the caller's now, and the part of it that may be touched. */
export type Acquired = {
  readonly mfn: number;
  /** The frame that the reference is held of. */
  readonly page: number;
  readonly offset: number;
  readonly length: number;
};

const WHOLE = { offset: 0, length: 4096 };
const countOf = (readOnly: boolean) => (readOnly ? ['hostRead'] : ['hostWrite']) as readonly ['hostRead' | 'hostWrite'];
const typeOf = (flags: number): number => flags & GTF.type_mask;

/** `user`: the domain that the grant must be for. `passing`: an entry that passes on another domain's grant will do. */
export const acquireForCopy = (
  machine: Machine,
  domid: number,
  ref: number,
  user: number,
  readOnly: boolean,
  passing = true,
): GrantResult<Acquired> => {
  if (ref >= entryCount(machine, domid)) return refused(machine, 'bad_gntref', 'gnttab/copy-ref');
  const active = activeAt(machine, domid, ref);
  if (active && (active.domid !== user || isFull(machine, active, countOf(readOnly))))
    return refused(machine, 'general_error', 'gnttab/copy-active');
  const entry = sharedEntry(machine, domid, ref);
  const transitive = versionOf(machine, domid) === 2 && typeOf(entry.flags) === GTF.transitive;
  const { looks } = begin(active, readOnly);
  const marked = looks ? lookAndMark(machine, domid, ref, entry, { user, readOnly, active }) : okay(machine, 'gnttab/copy-active', null);
  if (marked.status !== 0) return { ...marked, out: null };
  if (transitive) return passOn(marked.machine, domid, ref, entry, { user, readOnly, passing });
  return looks
    ? takeNamed(marked.machine, domid, ref, entry, { user, readOnly })
    : takeActive(marked.machine, domid, ref, active!, readOnly);
};

type Use = { readonly user: number; readonly readOnly: boolean };

/** What the first use, and the first that writes, find in the entry. */
const lookAndMark = (
  machine: Machine,
  domid: number,
  ref: number,
  { flags, domid: grantee }: SharedEntry,
  { user, readOnly, active }: Use & { readonly active: ActiveGrant | null },
): GrantResult<null> => {
  const type = typeOf(flags);
  const permits = type === GTF.permit_access || (versionOf(machine, domid) === 2 && type === GTF.transitive);
  if (!active && (!permits || grantee !== user)) return refused(machine, 'general_error', 'gnttab/copy-entry');
  if (!readOnly && (flags & GTF.readonly) !== 0) return refused(machine, 'general_error', 'gnttab/copy-read_only_entry');
  return okay(markInUse(machine, domid, ref, readOnly), 'gnttab/copy-entry', null);
};

const giveUp = (machine: Machine, domid: number, ref: number, readOnly: boolean): Machine => reduceMarks(machine, domid, ref, readOnly);

/** The frame that the entry names. An active grant must be of the same. */
const takeNamed = (machine: Machine, domid: number, ref: number, entry: SharedEntry, { user, readOnly }: Use): GrantResult<Acquired> => {
  const held = getPage(machine, domid, entry.frame);
  if (held.errno) return refused(giveUp(held.machine, domid, ref, readOnly), 'bad_page', 'gnttab/copy-frame');
  const subPage = versionOf(machine, domid) === 2 && (entry.flags & GTF.sub_page) !== 0;
  const active = activeAt(held.machine, domid, ref);
  if (active && !stillSame(active, entry, subPage) && waysOf(machine.config.release)['copy-changed'] === 'general_error') {
    const put = putPage(held.machine, entry.frame);
    return refused(giveUp(put, domid, ref, readOnly), 'general_error', 'gnttab/copy-changed');
  }
  const fresh = { mfn: entry.frame, domid: user, ...(subPage ? { part: entry.part } : {}) };
  return counted(held.machine, domid, ref, readOnly, fresh, entry.frame);
};

const stillSame = (active: ActiveGrant, entry: SharedEntry, subPage: boolean): boolean =>
  active.mfn === entry.frame &&
  active.passedOn === undefined &&
  (active.part === undefined || (subPage && active.part.offset === entry.part.offset && active.part.length === entry.part.length));

/** What is in use already is used again, if its frame is its domain's still. */
const takeActive = (machine: Machine, domid: number, ref: number, active: ActiveGrant, readOnly: boolean): GrantResult<Acquired> => {
  if (ownerOf(machine, active.mfn) !== domid || domainOf(machine, domid).dying)
    return refused(giveUp(machine, domid, ref, readOnly), 'bad_domain', 'gnttab/copy-dying');
  return counted(addReference(machine, active.mfn), domid, ref, readOnly, active);
};

const counted = (
  machine: Machine,
  domid: number,
  ref: number,
  readOnly: boolean,
  fresh: Pick<ActiveGrant, 'mfn' | 'domid' | 'part' | 'passedOn'>,
  page: number = fresh.mfn,
): GrantResult<Acquired> => {
  const m = addCounts(machine, domid, ref, countOf(readOnly), fresh);
  const { mfn, part = WHOLE } = activeAt(m, domid, ref)!;
  return okay(m, 'gnttab/copy-entry', { mfn, page, ...part });
};

/** gnttab/copy-transitive: the grant of a third domain to this one serves, one step deep. */
const passOn = (
  machine: Machine,
  domid: number,
  ref: number,
  { passesOn }: SharedEntry,
  { user, readOnly, passing }: Use & { readonly passing: boolean },
): GrantResult<Acquired> => {
  const error = (m: Machine, status: 'general_error'): GrantResult<never> =>
    refused(giveUp(m, domid, ref, readOnly), status, 'gnttab/copy-transitive');
  if (!passing || passesOn.domid === domid || !findDomain(machine, passesOn.domid)) return error(machine, 'general_error');
  const before = activeAt(machine, domid, ref);
  const taken = acquireForCopy(machine, passesOn.domid, passesOn.ref, domid, readOnly, false);
  if (!taken.out) return { ...taken, machine: giveUp(taken.machine, domid, ref, readOnly) };
  const { mfn, offset, length } = taken.out;
  if (before && !isSamePassing(before, passesOn, taken.out)) throw new NotModelled('grant_table_op/copy-changed_to_transitive');
  return counted(cite(taken.machine, 'gnttab/copy-transitive'), domid, ref, readOnly, {
    mfn,
    domid: user,
    part: { offset, length },
    passedOn: passesOn,
  });
};

const isSamePassing = ({ mfn, part, passedOn }: ActiveGrant, to: SharedEntry['passesOn'], now: Acquired): boolean =>
  mfn === now.mfn && part?.offset === now.offset && part.length === now.length && passedOn?.domid === to.domid && passedOn.ref === to.ref;

/** Xen's name: release_grant_for_copy. The reference is the caller's affair. */
export const releaseForCopy = (machine: Machine, domid: number, ref: number, readOnly: boolean): Machine => {
  const { passedOn } = activeAt(machine, domid, ref)!;
  const m = reduceMarks(dropCounts(machine, domid, ref, countOf(readOnly)), domid, ref, readOnly);
  return passedOn ? releaseForCopy(m, passedOn.domid, passedOn.ref, readOnly) : m;
};
