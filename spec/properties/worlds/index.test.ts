import { expect, test } from 'vitest';
import type { DomainObservation, FrameObservation } from '../../observation.ts';
import { activeGrant, bytesOf, domain, frame, port, vcpu } from '../testing/small_machine.ts';
import { difference, type Eye, localRespect } from './index.ts';

type Parts = {
  readonly domain?: DomainObservation | null;
  readonly own?: readonly FrameObservation[];
  readonly readable?: readonly number[];
  readonly changed?: readonly number[];
  readonly isRegrouped?: boolean;
  readonly digests?: Readonly<Record<number, number>>;
  readonly before?: Readonly<Record<number, Uint8Array>>;
  readonly now?: Readonly<Record<number, Uint8Array>>;
  readonly borrowed?: number;
};
const map = (bytes: Readonly<Record<number, Uint8Array>> = {}) => new Map(Object.entries(bytes).map(([mfn, each]) => [Number(mfn), each]));
const eye = ({
  domain: seen = domain(1),
  own = [],
  readable = [],
  changed = [],
  isRegrouped = false,
  digests = {},
  ...others
}: Parts): Eye =>
  ({
    ...{ domid: 1, domain: seen, own: new Map(own.map((each) => [each.mfn, each])), readable, changed, isRegrouped },
    ...{ machineToPhys: [0x200, 0x201], before: map(others.before), now: map(others.now) },
    digest: (mfn: number) => digests[mfn],
    isBorrowed: (mfn: number, owner: number) => mfn === others.borrowed && owner === 2,
  }) as unknown as Eye;
const glimpse = (seen: DomainObservation | null, ...own: readonly FrameObservation[]) => ({
  domain: seen,
  own: new Map(own.map((each) => [each.mfn, each])),
});

test('where nothing has changed nothing came by any flow', () => {
  expect(localRespect(glimpse(domain(1)), eye({}), 2, [])).toEqual({ flows: [], leak: null });
});

test('each change is told by the flow that allows it, up to the first that none does', () => {
  const from = domain(1, { ports: [port(3, { status: 'interdomain', remote_dom: 2 })], vcpus: [vcpu({ runstate: 'blocked' })] });
  const woken = { ...from, vcpus: [vcpu()], ports: [port(3, { remote_dom: 2 })] };
  expect(localRespect(glimpse(from), eye({ domain: woken }), 2, [])).toEqual({ flows: ['flow/channel', 'flow/channel'], leak: null });
  expect(localRespect(glimpse(from), eye({ domain: { ...woken, vcpus: [vcpu({ rip: '0x1' })] } }), 2, [])).toEqual({
    flows: ['flow/channel'],
    leak: 'd2 changes what d1 sees: rip of vCPU 0',
  });
  expect(localRespect(glimpse(from), eye({ domain: { ...woken, pages: 3 } }), 0, ['domctl']).flows).toEqual(
    Array(3).fill('flow/controlled'),
  );
});

test('only the control domain’s domctl lets a domain disappear', () => {
  const goes = (actor: number, ...calls: string[]) => localRespect(glimpse(domain(1)), eye({ domain: null }), actor, calls);
  expect(goes(0, 'xen_version', 'domctl')).toEqual({ flows: ['flow/controlled'], leak: null });
  for (const other of [goes(0), goes(0, 'mmu_update'), goes(2, 'domctl')])
    expect(other).toEqual({ flows: [], leak: expect.stringMatching(/^d[02] changes what d1 sees: domid$/) });
  const comes = (actor: number, ...calls: string[]) => localRespect(glimpse(null), eye({}), actor, calls).leak;
  expect([comes(0, 'domctl'), comes(0, 'mmu_update')]).toEqual([null, 'd0 changes what d1 sees: domid']);
});

test('a frame of the machine-to-phys table names 512 frames; those of its own stay', () => {
  const changes = (mfn: number, at: number, ...own: readonly number[]) => {
    const now = bytesOf();
    now[at] = 1;
    const frames = own.map((each) => frame(each));
    const looks = eye({ changed: [mfn], own: frames, before: { [mfn]: bytesOf() }, now: { [mfn]: now } });
    return localRespect({ ...glimpse(domain(1)), own: looks.own }, looks, 2, []);
  };
  expect(changes(0x200, 16, 1, 3)).toEqual({ flows: ['flow/frame-numbers'], leak: null });
  expect(changes(0x201, 23, 2, 513, 515)).toEqual({ flows: ['flow/frame-numbers'], leak: null });
  expect(changes(0x200, 23, 2).leak).toBe('d2 changes what d1 sees: frame 0x200, bytes 0x17');
  expect(changes(0x201, 16, 514).leak).toBe('d2 changes what d1 sees: frame 0x201, bytes 0x10');
  expect(changes(0x202, 16).leak).toBe('d2 changes what d1 sees: frame 0x202, bytes 0x10');
});

test('the grant table counts as it stood before the one who acts', () => {
  const empty = bytesOf();
  const grants = bytesOf({ 8: 0x0000_0500_0002_0001n });
  const from = domain(1, { grant_frames: [0x410] });
  const looks = (changed: readonly number[], before: Uint8Array, now: Uint8Array) =>
    localRespect(glimpse(from), eye({ domain: from, changed, before: { 1040: before }, now: { 1040: now } }), 2, []);
  const leak = 'd2 changes what d1 sees: frame 0x500';
  expect(looks([0x500], empty, grants).leak).toBeNull();
  expect(looks([0x500], grants, empty).leak).toBe(leak);
  expect(looks([0x500, 0x410], grants, empty).leak).toBeNull();
  expect(looks([0x500, 0x410], empty, grants).leak).toBe(leak);
});

test('a frame that is borrowed may be written by whom it is borrowed from', () => {
  expect(localRespect(glimpse(domain(1)), eye({ changed: [0x600], borrowed: 0x600 }), 2, [])).toEqual({
    flows: ['flow/granted'],
    leak: null,
  });
  expect(localRespect(glimpse(domain(1)), eye({ changed: [0x600], borrowed: 0x600 }), 3, []).leak).toBe(
    'd3 changes what d1 sees: frame 0x600',
  );
});

test('two worlds look the same when nothing differs, or the domain is in neither', () => {
  const seen = { own: [frame(5)], readable: [5], changed: [5], digests: { 5: 7 }, isRegrouped: true };
  expect(difference(eye(seen), eye(seen))).toBeNull();
  expect(difference(eye({ domain: null }), eye({ domain: null, own: [frame(5)], isRegrouped: true }))).toBeNull();
});

test.each<readonly [Parts, Parts, string]>([
  [{ domain: null }, {}, 'the domain is gone in one world'],
  [{}, { domain: null }, 'the domain is gone in one world'],
  [{}, { domain: domain(1, { pages: 1 }) }, 'pages'],
  [{}, { domain: domain(1, { suspend_port: 1 }) }, 'suspend_port'],
  [{ domain: domain(1, { suspend_port: 1 }) }, {}, 'suspend_port'],
  [
    { domain: domain(1, { vcpus: [vcpu()] }) },
    { domain: domain(1, { vcpus: [vcpu({ ldt: { base: '0x0', entries: 3 } })] }) },
    'vcpus.0.ldt.entries',
  ],
  [{ domain: domain(1, { ports: [port(1)] }) }, { domain: domain(1, { ports: [port(1), port(2)] }) }, 'ports.1'],
  [
    { domain: domain(1, { active_grants: [activeGrant(1, 2, 3)] }) },
    { domain: domain(1, { active_grants: [activeGrant(1, 2, 4)] }) },
    'active_grants.0.mfn',
  ],
  [{ own: [frame(5)], isRegrouped: true }, { own: [frame(5, { refs: 2 })] }, 'the state of frame 0x5'],
  [{ own: [frame(5)] }, { own: [frame(5), frame(0x1f)], isRegrouped: true }, 'the state of frame 0x1f'],
  [{ own: [frame(5), frame(0x1f)] }, { own: [frame(5)], isRegrouped: true }, 'the state of frame 0x1f'],
  [{ readable: [1, 2], isRegrouped: true }, { readable: [12] }, 'the frames that it can read'],
  [{ changed: [0x50], digests: { 80: 1 } }, { digests: { 80: 2 } }, 'what stands in frame 0x50'],
  [{ digests: { 80: 1 } }, { changed: [0x50] }, 'what stands in frame 0x50'],
])('%#: they differ', (first, second, what) => expect(difference(eye(first), eye(second))).toBe(what));

test('only what has changed is compared', () => {
  expect(
    difference(eye({ own: [frame(5)], readable: [5], digests: { 5: 1 } }), eye({ own: [frame(6)], readable: [6], digests: { 5: 2 } })),
  ).toBeNull();
});
