/**
 * The work meter: what rules go through one by one, between two questions whether to stop. Chapter: spec/chapters/invariants.md, "Work". Like cited
 * clauses it is collected for the length of one transition, beside the machines that it makes: work that came to nothing was work, too.
 */
import type { HypercallName } from '#spec/abi/hypercall.ts';
import { callName, elementName, OUTSIDE, SHORT, type Stretch, WORK, WORK_KINDS, type WorkKind } from '#spec/work.ts';
import type { Machine } from './machine.ts';

/** A call, by what it is told under when somebody asks: nearly nobody does. Null: OUTSIDE. */
type Call = { readonly name: HypercallName; readonly command: number; readonly isElement: boolean } | null;

/** What goes on, how much of it since the last question (`used`: whether any), and the longest stretches of each call so far. */
export type Meter = { call: Call; domid: number; used: boolean; readonly units: number[]; readonly longest: Map<string, Stretch> };

export const freshMeter = (): Meter => ({ call: null, domid: -1, used: false, units: WORK_KINDS.map(() => 0), longest: new Map() });

const nameOf = (call: Call): string => {
  if (call === null) return OUTSIDE;
  return call.isElement ? elementName(call.name, call.command) : callName(call.name, call.command);
};

const close = (meter: Meter): void => {
  if (!meter.used) return;
  meter.used = false;
  const { domid, units, longest } = meter;
  for (let i = 0; i < units.length; i++) {
    const spent = units[i]!;
    units[i] = 0;
    if (spent <= SHORT) continue;
    const kind = WORK_KINDS[i]!;
    const call = nameOf(meter.call);
    const key = `${domid} ${call} ${kind}`;
    if (spent > (longest.get(key)?.units ?? 0)) longest.set(key, { call, domid, kind, units: spent });
  }
};

/** So much is gone through. */
export const spend = ({ journal: { work } }: Machine, kind: WorkKind, units = 1): void => {
  if (work === null) return;
  work.units[WORK[kind]]! += units;
  work.used = true;
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
  work.call = { name, command: first, isElement: false };
};

/** Which operation of the call it is, as its list or structure says. */
export const nameOperation = ({ journal: { work } }: Machine, name: HypercallName, command: number): void => {
  if (work !== null) work.call = { name, command, isElement: true };
};

/** Nothing that a hypercall does follows: it is over, or Xen was entered for something else. */
export const outsideCalls = ({ journal: { work } }: Machine, domid: number): void => {
  if (work === null) return;
  close(work);
  work.call = null;
  work.domid = domid;
};

/** The longest of each call and kind; an input that ends, ends what goes on. */
export const stretchesOf = (meter: Meter | null): readonly Stretch[] => {
  if (meter === null) return [];
  close(meter);
  return [...meter.longest.values()];
};
