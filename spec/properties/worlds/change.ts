/** What is different in what a domain sees after a transition, piece by piece. */
import type { DomainObservation, FrameObservation, PortObservation, VcpuObservation } from '../../observation.ts';
import type { Eye } from './eye.ts';
import { same } from './same.ts';

export type Change =
  | {
      readonly kind: 'port';
      readonly port: number;
      readonly before: PortObservation | undefined;
      readonly after: PortObservation | undefined;
    }
  | { readonly kind: 'vcpu'; readonly vcpu: number; readonly field: string }
  /** A grant of its that somebody uses. */
  | { readonly kind: 'grant'; readonly ref: number; readonly user: number }
  | { readonly kind: 'domain'; readonly field: string }
  /** Whose a frame is, how it is used and how often. `null`: not the domain's. */
  | { readonly kind: 'frame'; readonly mfn: number; readonly before: FrameObservation | null; readonly after: FrameObservation | null }
  /** Bytes of a frame, and which bits of them; all of the frame when nobody knows which. */
  | { readonly kind: 'bytes'; readonly mfn: number; readonly at: readonly ChangedByte[] | null };
export type ChangedByte = { readonly at: number; readonly bits: number };

/** What stands in an observation apart from what is told by a kind of change of its own. */
export type Glimpse = { readonly domain: DomainObservation | null; readonly own: ReadonlyMap<number, FrameObservation> };

const APART: ReadonlySet<string> = new Set(['vcpus', 'ports', 'active_grants']);

function* fields(before: object, after: object, leaveOut: ReadonlySet<string> = new Set()): Generator<string> {
  const [a, b] = [before, after] as [Record<string, unknown>, Record<string, unknown>];
  for (const field of new Set([...Object.keys(a), ...Object.keys(b)])) if (!leaveOut.has(field) && !same(a[field], b[field])) yield field;
}

function* ofPorts(before: readonly PortObservation[], after: readonly PortObservation[]): Generator<Change> {
  const [a, b] = [before, after].map((ports) => new Map(ports.map((port) => [port.port, port])));
  for (const port of new Set([...a!.keys(), ...b!.keys()]))
    if (!same(a!.get(port), b!.get(port))) yield { kind: 'port', port, before: a!.get(port), after: b!.get(port) };
}

function* ofVcpus(before: readonly VcpuObservation[], after: readonly VcpuObservation[]): Generator<Change> {
  for (const [i, vcpu] of after.entries())
    for (const field of fields(before[i] ?? {}, vcpu)) yield { kind: 'vcpu', vcpu: vcpu.vcpu, field };
}

function* ofGrants(before: DomainObservation, after: DomainObservation): Generator<Change> {
  const keyed = ({ active_grants }: DomainObservation) =>
    new Map(active_grants.map((grant) => [`${grant.ref} ${grant.domid} ${grant.mfn}`, grant]));
  const [a, b] = [keyed(before), keyed(after)];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const grant = a.get(key) ?? b.get(key)!;
    if (!same(a.get(key), b.get(key))) yield { kind: 'grant', ref: grant.ref, user: grant.domid };
  }
}

function* ofDomains(before: DomainObservation, after: DomainObservation): Generator<Change> {
  for (const field of fields(before, after, APART)) yield { kind: 'domain', field };
  if (!same(before.vcpus, after.vcpus)) yield* ofVcpus(before.vcpus, after.vcpus);
  if (!same(before.ports, after.ports)) yield* ofPorts(before.ports, after.ports);
  if (!same(before.active_grants, after.active_grants)) yield* ofGrants(before, after);
}

function* ofFrames(before: Glimpse['own'], after: Glimpse['own']): Generator<Change> {
  for (const mfn of new Set([...before.keys(), ...after.keys()])) {
    const [a, b] = [before.get(mfn) ?? null, after.get(mfn) ?? null];
    if (!same(a, b)) yield { kind: 'frame', mfn, before: a, after: b };
  }
}

function* ofBytes({ changed, before, now }: Eye): Generator<Change> {
  for (const mfn of changed) {
    const [a, b] = [before.get(mfn), now.get(mfn)];
    if (a === undefined || b === undefined) yield { kind: 'bytes', mfn, at: null };
    else yield { kind: 'bytes', mfn, at: [...b.keys()].filter((i) => a[i] !== b[i]).map((i) => ({ at: i, bits: a[i]! ^ b[i]! })) };
  }
}

/** Everything that is not as it was: `last` is what the eye saw before it looked again. */
export function* changes(last: Glimpse, eye: Eye): Generator<Change> {
  if (last.domain === null || eye.domain === null) {
    if (last.domain !== eye.domain) yield { kind: 'domain', field: 'domid' };
    return;
  }
  if (last.domain !== eye.domain) yield* ofDomains(last.domain, eye.domain);
  if (last.own !== eye.own) yield* ofFrames(last.own, eye.own);
  yield* ofBytes(eye);
}

const hex = (value: number): string => `0x${value.toString(16)}`;
/** For people. */
export const sayChange = (change: Change): string => {
  switch (change.kind) {
    case 'port':
      return `port ${change.port} (${change.before?.status ?? 'free'} to ${change.after?.status ?? 'free'})`;
    case 'vcpu':
      return `${change.field} of vCPU ${change.vcpu}`;
    case 'grant':
      return `use of grant ${change.ref} by d${change.user}`;
    case 'domain':
      return change.field;
    case 'frame':
      return `frame ${hex(change.mfn)} (${change.before?.type ?? 'not its own'} to ${change.after?.type ?? 'not its own'})`;
    case 'bytes':
      return `frame ${hex(change.mfn)}${
        change.at === null
          ? ''
          : `, bytes ${change.at
              .slice(0, 4)
              .map(({ at }) => hex(at))
              .join(' ')}${change.at.length > 4 ? ' …' : ''}`
      }`;
  }
};
