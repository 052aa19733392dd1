/**
 * The work meter: what rules go through one by one, between two questions whether to stop. Chapter: spec/chapters/invariants.md, "Work". Like cited
 * clauses it is collected for the length of one transition, beside the machines that it makes: work that came to nothing was work, too.
 */
import type { HypercallName } from '#spec/abi/hypercall.ts';
import { callName, elementName, OUTSIDE, SHORT, type Stretch, WORK, WORK_KINDS, type WorkKind } from '#spec/work.ts';
import type { Machine } from './machine.ts';

/** What goes on, how much of it since the last question, and the longest stretches of each call so far. */
export type Meter = { call: string; domid: number; readonly units: number[]; readonly longest: Map<string, Stretch> };

export const freshMeter = (): Meter => ({ call: OUTSIDE, domid: -1, units: WORK_KINDS.map(() => 0), longest: new Map() });

const close = ({ call, domid, units, longest }: Meter): void => {
  for (const [i, spent] of units.entries()) {
    if (spent === 0) continue;
    units[i] = 0;
    if (spent <= SHORT) continue;
    const kind = WORK_KINDS[i]!;
    const key = `${domid} ${call} ${kind}`;
    if (spent > (longest.get(key)?.units ?? 0)) longest.set(key, { call, domid, kind, units: spent });
  }
};

/** So much is gone through. */
export const spend = ({ journal: { work } }: Machine, kind: WorkKind, units = 1): void => {
  if (work !== null) work.units[WORK[kind]]! += units;
};

/** A question was asked: what follows is a stretch of its own. */
export const endStretch = ({ journal: { work } }: Machine): void => {
  if (work !== null) close(work);
};

/** A call begins. An entry of a multicall belongs to the stretch in which it begins. */
export const beginCall = ({ journal: { work } }: Machine, domid: number, name: HypercallName, first: number, depth: number): void => {
  if (work === null) return;
  if (depth === 0) close(work);
  work.domid = domid;
  work.call = callName(name, first);
};

/** Which operation of the call it is, as its list or structure says. */
export const nameOperation = ({ journal: { work } }: Machine, name: HypercallName, command: number): void => {
  if (work !== null) work.call = elementName(name, command);
};

/** Nothing that a hypercall does follows: it is over, or Xen was entered for something else. */
export const outsideCalls = ({ journal: { work } }: Machine, domid: number): void => {
  if (work === null) return;
  close(work);
  work.call = OUTSIDE;
  work.domid = domid;
};

/** The longest of each call and kind; an input that ends, ends what goes on. */
export const stretchesOf = (meter: Meter | null): readonly Stretch[] => {
  if (meter === null) return [];
  close(meter);
  return [...meter.longest.values()];
};
