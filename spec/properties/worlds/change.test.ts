import { expect, test } from 'vitest';
import type { DomainObservation } from '../../observation.ts';
import { activeGrant, domain, frame, port, vcpu } from '../testing/small_machine.ts';
import { type Change, changes, type Glimpse, sayChange } from './change.ts';
import type { Eye } from './eye.ts';

const glimpse = (change: Partial<DomainObservation> | null, ...frames: readonly ReturnType<typeof frame>[]): Glimpse => ({
  domain: change && domain(1, change),
  own: new Map(frames.map((each) => [each.mfn, each])),
});
type Bytes = {
  readonly changed: readonly number[];
  readonly before?: Record<number, Uint8Array>;
  readonly now?: Record<number, Uint8Array>;
};
const map = (bytes: Record<number, Uint8Array> = {}) => new Map(Object.entries(bytes).map(([mfn, each]) => [Number(mfn), each]));
const eyeOf = (to: Glimpse, { changed, before, now }: Bytes): Eye =>
  ({ ...to, changed, before: map(before), now: map(now) }) as unknown as Eye;
const told = (from: Glimpse, to: Glimpse, bytes: Bytes = { changed: [] }): readonly Change[] => [...changes(from, eyeOf(to, bytes))];

test('nothing has changed in what is the same, be it copied', () => {
  const full = () => glimpse({ vcpus: [vcpu()], ports: [port(1)], active_grants: [activeGrant(1, 2, 3)], grant_frames: [4] }, frame(5));
  expect(told(full(), full())).toEqual([]);
});

test('a domain that goes, or comes, is one change', () => {
  expect(told(glimpse({}), glimpse(null, frame(5)), { changed: [7] })).toEqual([{ kind: 'domain', field: 'domid' }]);
  expect(told(glimpse(null), glimpse({}))).toEqual([{ kind: 'domain', field: 'domid' }]);
  expect(told(glimpse(null), glimpse(null, frame(5)), { changed: [7] })).toEqual([]);
});

test('a field of the domain, also one that comes or goes', () => {
  expect(told(glimpse({ pages: 1, eoi_map: 3 }), glimpse({ pages: 2, suspend_port: 4 }))).toEqual([
    { kind: 'domain', field: 'pages' },
    { kind: 'domain', field: 'eoi_map' },
    { kind: 'domain', field: 'suspend_port' },
  ]);
});

test('a field of a vCPU; all of them for one that is new', () => {
  const from = glimpse({ vcpus: [vcpu(), vcpu({ vcpu: 1 })] });
  expect(told(from, glimpse({ vcpus: [vcpu(), vcpu({ vcpu: 1, runstate: 'blocked', polling: true })] }))).toEqual([
    { kind: 'vcpu', vcpu: 1, field: 'runstate' },
    { kind: 'vcpu', vcpu: 1, field: 'polling' },
  ]);
  const second = told(glimpse({ vcpus: [vcpu()] }), from);
  expect(second).toEqual(Object.keys(vcpu()).map((field) => ({ kind: 'vcpu', vcpu: 1, field })));
});

test('a port that changes, comes or goes, by its number', () => {
  const [a, b, other] = [port(1), port(2), port(2, { status: 'virq' })];
  expect(told(glimpse({ ports: [a, b] }), glimpse({ ports: [a, other] }))).toEqual([{ kind: 'port', port: 2, before: b, after: other }]);
  expect(told(glimpse({ ports: [a, b] }), glimpse({ ports: [b] }))).toEqual([{ kind: 'port', port: 1, before: a, after: undefined }]);
  expect(told(glimpse({ ports: [b] }), glimpse({ ports: [a, b] }))).toEqual([{ kind: 'port', port: 1, before: undefined, after: a }]);
});

test('a use of a grant that changes, comes or goes, by its user and frame', () => {
  const [a, b] = [activeGrant(1, 2, 0x500), activeGrant(1, 3, 0x500)];
  const use = (user: number) => ({ kind: 'grant', ref: 1, user });
  const told2 = (from: readonly (typeof a)[], to: readonly (typeof a)[]) =>
    told(glimpse({ active_grants: from }), glimpse({ active_grants: to }));
  expect(told2([a, b], [a, { ...b, host_read: 1 }])).toEqual([use(3)]);
  expect(told2([a, b], [a])).toEqual([use(3)]);
  expect(told2([b], [a, b])).toEqual([use(2)]);
  expect(told2([a], [{ ...a, mfn: 0x501 }])).toEqual([use(2), use(2)]);
  expect(told2([a], [{ ...a, ref: 2 }])).toEqual([use(2), { kind: 'grant', ref: 2, user: 2 }]);
});

test('a frame that changes, comes or goes', () => {
  const [a, b] = [frame(5), frame(6)];
  const moved = { ...b, refs: 3 };
  expect(told(glimpse({}, a, b), glimpse({}, a, moved))).toEqual([{ kind: 'frame', mfn: 6, before: b, after: moved }]);
  expect(told(glimpse({}, a, b), glimpse({}, a))).toEqual([{ kind: 'frame', mfn: 6, before: b, after: null }]);
  expect(told(glimpse({}, a), glimpse({}, a, b))).toEqual([{ kind: 'frame', mfn: 6, before: null, after: b }]);
});

test('bytes of a frame, and which bits of them, where that is known', () => {
  const at = glimpse({});
  const bytes = {
    changed: [5, 6, 7],
    before: { 5: Uint8Array.of(1, 2, 3), 6: Uint8Array.of(1) },
    now: { 5: Uint8Array.of(1, 6, 2), 7: Uint8Array.of(1) },
  };
  expect(told(at, at, bytes)).toEqual([
    {
      kind: 'bytes',
      mfn: 5,
      at: [
        { at: 1, bits: 4 },
        { at: 2, bits: 1 },
      ],
    },
    { kind: 'bytes', mfn: 6, at: null },
    { kind: 'bytes', mfn: 7, at: null },
  ]);
});

test.each<readonly [Change, string]>([
  [{ kind: 'port', port: 3, before: undefined, after: port(3) }, 'port 3 (free to unbound)'],
  [{ kind: 'port', port: 3, before: port(3), after: undefined }, 'port 3 (unbound to free)'],
  [{ kind: 'vcpu', vcpu: 1, field: 'rip' }, 'rip of vCPU 1'],
  [{ kind: 'grant', ref: 8, user: 2 }, 'use of grant 8 by d2'],
  [{ kind: 'domain', field: 'pages' }, 'pages'],
  [{ kind: 'frame', mfn: 0x50, before: null, after: frame(0x50) }, 'frame 0x50 (not its own to none)'],
  [{ kind: 'frame', mfn: 0x50, before: frame(0x50), after: null }, 'frame 0x50 (none to not its own)'],
  [{ kind: 'bytes', mfn: 0x50, at: null }, 'frame 0x50'],
  [{ kind: 'bytes', mfn: 0x50, at: [0, 16, 32, 48].map((at) => ({ at, bits: 1 })) }, 'frame 0x50, bytes 0x0 0x10 0x20 0x30'],
  [{ kind: 'bytes', mfn: 0x50, at: [0, 16, 32, 48, 64].map((at) => ({ at, bits: 1 })) }, 'frame 0x50, bytes 0x0 0x10 0x20 0x30 …'],
])('%o is told as %s', (change, text) => expect(sayChange(change)).toBe(text));
