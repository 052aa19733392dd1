/** Two worlds: what one domain sees must not depend on what it may not see. Chapter: spec/chapters/isolation.md. */
import { type Change, changes, type Glimpse, sayChange } from './change.ts';
import type { Eye } from './eye.ts';
import { CHANGING_FLOWS, type ChangingFlowId, type Turn } from './flows.ts';
import { same } from './same.ts';

export type { Glimpse } from './change.ts';
export { Eye } from './eye.ts';
export { CHANGING_FLOWS, type ChangingFlowId, DECLARED_FLOWS, type DeclaredFlowId } from './flows.ts';

/** Entries of the machine-to-phys table in a frame. */
const PER_FRAME = 512;
const flowOf = (change: Change, turn: Turn): ChangingFlowId | null => {
  for (const [id, flow] of Object.entries(CHANGING_FLOWS)) if (flow.allows(change, turn)) return id as ChangingFlowId;
  return null;
};

export type Respect = { readonly flows: readonly ChangingFlowId[]; readonly leak: string | null };

/**
 * Local respect: `actor` has acted. What is not as it was for the domain that looks on must have come by an allowed flow. `last` is what its eye saw
 * before.
 */
export const localRespect = (last: Glimpse, eye: Eye, actor: number, calls: readonly string[]): Respect => {
  const flows: ChangingFlowId[] = [];
  const page = (mfn: number): Uint8Array | undefined => (eye.changed.includes(mfn) ? eye.before.get(mfn) : eye.now.get(mfn));
  const named = (mfn: number, at: number): number | null => {
    const table = eye.machineToPhys.indexOf(mfn);
    return table < 0 ? null : table * PER_FRAME + (at >> 3);
  };
  const turn = {
    actor,
    calls,
    page,
    named,
    isOwn: (mfn: number) => last.own.has(mfn),
    isBorrowed: (mfn: number, owner: number) => eye.isBorrowed(mfn, owner),
  };
  for (const change of changes(last, eye)) {
    const flow = last.domain && eye.domain ? flowOf(change, { ...turn, before: last.domain, after: eye.domain }) : gone(actor, calls);
    if (flow === null) return { flows, leak: `d${actor} changes what d${eye.domid} sees: ${sayChange(change)}` };
    flows.push(flow);
  }
  return { flows, leak: null };
};

/** Only the control domain lets others disappear. */
const gone = (actor: number, calls: readonly string[]): ChangingFlowId | null =>
  actor === 0 && calls.includes('domctl') ? 'flow/controlled' : null;

const frameThatDiffers = ({ own: first }: Eye, { own: second }: Eye): number | null => {
  for (const [mfn, frame] of first) if (!same(frame, second.get(mfn))) return mfn;
  for (const mfn of second.keys()) if (!first.has(mfn)) return mfn;
  return null;
};

/**
 * Output and step consistency: the first thing in which two worlds look different to the domain whose eyes these are; null when nothing does. They have
 * to have looked the same at the look before this one: only what has changed since is compared.
 */
export const difference = (first: Eye, second: Eye): string | null => {
  const [a, b] = [first.domain, second.domain];
  if (a === null || b === null) return a === b ? null : 'the domain is gone in one world';
  if (!same(a, b)) return fieldOf(a, b);
  if (first.isRegrouped || second.isRegrouped) {
    const frame = frameThatDiffers(first, second);
    if (frame !== null) return `the state of frame 0x${frame.toString(16)}`;
    if (first.readable.join() !== second.readable.join()) return 'the frames that it can read';
  }
  for (const mfn of [...first.changed, ...second.changed])
    if (first.digest(mfn) !== second.digest(mfn)) return `what stands in frame 0x${mfn.toString(16)}`;
  return null;
};

const fieldOf = (a: unknown, b: unknown, path = ''): string => {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return path;
  const [x, y] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  const key = [...Object.keys(x), ...Object.keys(y)].find((name) => !same(x[name], y[name]));
  return key === undefined ? path : fieldOf(x[key], y[key], path === '' ? key : `${path}.${key}`);
};
