/** Active grants: what was granted and how often it is mapped, in four counts. */
import { GNTMAP } from '#spec/abi/grant_table.ts';
import { waysOf } from '#spec/releases/changes.ts';
import type { ActiveGrant } from '../../domain.ts';
import type { Machine } from '../../machine.ts';
import { itemAt, withItem } from '../../numbered.ts';
import { grantsOf, updateGrants } from './handles.ts';
import { checkStep } from './lifecycle.ts';

type Count = 'hostRead' | 'hostWrite' | 'deviceRead' | 'deviceWrite';
const COUNTS: readonly Count[] = ['hostRead', 'hostWrite', 'deviceRead', 'deviceWrite'];

/** Each count may reach this and no more (`gnttab/map-active`). */
const MOST = 128;

export const isReadOnly = (flags: number): boolean => (flags & GNTMAP.readonly) !== 0;

/** The counts that a mapping with these flags adds to. */
export const countsOf = (flags: number): readonly Count[] => {
  const readOnly = isReadOnly(flags);
  const host: Count[] = flags & GNTMAP.host_map ? [readOnly ? 'hostRead' : 'hostWrite'] : [];
  const device: Count[] = flags & GNTMAP.device_map ? [readOnly ? 'deviceRead' : 'deviceWrite'] : [];
  return [...host, ...device];
};

export const activeAt = (machine: Machine, domid: number, ref: number): ActiveGrant | null => itemAt(grantsOf(machine, domid).active, ref);

/** One of the counts, or in some releases of all counts, has no room for another use. */
export const isFull = ({ config }: Machine, active: ActiveGrant, counts: readonly Count[]): boolean =>
  (waysOf(config.release)['grant-full'] === 'any count' ? COUNTS : counts).some((count) => active[count] >= MOST);

/** Add to the counts of an active grant; `fresh` is what it is when nobody maps it yet. */
export const addCounts = (
  machine: Machine,
  domid: number,
  ref: number,
  counts: readonly Count[],
  fresh: Pick<ActiveGrant, 'mfn' | 'domid' | 'part' | 'passedOn'>,
): Machine => {
  const before = activeAt(machine, domid, ref);
  const after = change(before ?? { ...whatIs(fresh), hostRead: 0, hostWrite: 0, deviceRead: 0, deviceWrite: 0 }, counts, 1);
  checkStep(before, after, 'begin', areReadOnly(counts));
  return setActive(machine, domid, ref, after);
};

const areReadOnly = (counts: readonly Count[]): boolean => counts.every((count) => count === 'hostRead' || count === 'deviceRead');

/** Without the counts that it may have had. */
const whatIs = ({ mfn, domid, part, passedOn }: Pick<ActiveGrant, 'mfn' | 'domid' | 'part' | 'passedOn'>) => ({
  mfn,
  domid,
  ...(part ? { part } : {}),
  ...(passedOn ? { passedOn } : {}),
});

/** Take from the counts. A grant that nobody maps any more is not active. */
export const dropCounts = (machine: Machine, domid: number, ref: number, counts: readonly Count[]): Machine => {
  const active = activeAt(machine, domid, ref);
  if (!active) return machine;
  const after = change(active, counts, -1);
  checkStep(active, after, 'end', areReadOnly(counts));
  return setActive(machine, domid, ref, after);
};

const change = (active: ActiveGrant, counts: readonly Count[], by: number): ActiveGrant => {
  const count = (name: Count): number => active[name] + (counts.includes(name) ? by : 0);
  return {
    ...active,
    hostRead: count('hostRead'),
    hostWrite: count('hostWrite'),
    deviceRead: count('deviceRead'),
    deviceWrite: count('deviceWrite'),
  };
};

const setActive = (machine: Machine, domid: number, ref: number, active: ActiveGrant): Machine => {
  const used = COUNTS.some((count) => active[count] > 0);
  return updateGrants(machine, domid, { active: withItem(grantsOf(machine, domid).active, ref, used ? active : null) });
};
