import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Report } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import type { DomainObservation, FrameObservation, VcpuObservation } from '#spec/observation.ts';
import type { Step } from '#spec/program.ts';
import { INVARIANTS, type InvariantId, type View, viewOf, violations } from '#spec/properties/index.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import { Watch } from '../compare/watch.ts';
import { generateProgram } from '../generators/index.ts';
import { caseOf } from './case.ts';
import { isCountable } from './countable.ts';
import { loadEngine } from './engines.ts';
import { DEFAULT_POLICY } from './environment.ts';
import { roleOfSeed } from './pv32/check.ts';
import { firstFrameOf, subjectOf } from './pv32/machine.ts';
import { drawProgram } from './pv32/program.ts';
import { runEngine } from './run.ts';

const SEEDS = { min: 0, max: 0x3fffffff };

/** Runs until the end, or until something that is not modelled: what was met before that counts. */
const untilNotModelled = (run: () => unknown): void => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
  }
};

test.each(['model', 'executor'] as const)('after every input the invariants hold on the %s', async (name) => {
  const boot = await loadEngine(name);
  fc.assert(
    fc.property(fc.integer(SEEDS), fc.integer({ min: 20, max: 400 }), (seed, slice) => {
      const program = generateProgram(seed);
      fc.pre(isCountable(program));
      const { config, images } = caseOf(program, seed);
      const engine = boot({ ...config, lenient: true }, images);
      const watch = new Watch(config, engine);
      const holds = (...reports: readonly Report[]): void => expect([...watch.look(...reports)].slice(0, 5)).toEqual([]);
      holds();
      untilNotModelled(() =>
        runEngine(engine, { policy: { ...DEFAULT_POLICY, seed, slice, preempt: 3 }, limit: 20_000, onInput: (_, report) => holds(report) }),
      );
    }),
    { numRuns: 3 },
  );
});

test.each(['model', 'executor'] as const)('they hold for 32-bit guests too, on the %s', async (name) => {
  const boot = await loadEngine(name);
  for (const seed of [1, 2, 3, 4]) {
    const role = roleOfSeed(seed);
    const { config, images } = subjectOf(drawProgram(seed, firstFrameOf(role), 40), role, REFERENCE_RELEASE);
    const engine = boot({ ...config, lenient: true }, images);
    const watch = new Watch(config, engine);
    const holds = (_: number, report: Report): void => expect([...watch.look(report)].slice(0, 5)).toEqual([]);
    untilNotModelled(() => runEngine(engine, { policy: { ...DEFAULT_POLICY, seed, slice: 400 }, limit: 20_000, onInput: holds }));
  }
});

/** Two domains with a channel and a grant between them, as they stand after boot but for what a spoiler changes. */
const booted = async (): Promise<View> => {
  const boot = await loadEngine('executor');
  const other: Step = { id: 1, domain: 1, do: 'hypercall', call: 'xen_version', args: [0, 0] };
  const { config, images } = caseOf({ steps: [{ ...other, id: 2, domain: 0 }, other] }, 1);
  return viewOf(config, boot(config, images));
};

const withDomain = (view: View, domid: number, change: (domain: DomainObservation) => Partial<DomainObservation>): View => ({
  ...view,
  observation: {
    ...view.observation,
    domains: view.observation.domains.map((domain) => (domain.domid === domid ? { ...domain, ...change(domain) } : domain)),
  },
});
const withVcpu = (view: View, change: Partial<VcpuObservation>): View =>
  withDomain(view, 0, ({ vcpus }) => ({ vcpus: [{ ...vcpus[0]!, ...change }, ...vcpus.slice(1)] }));
const withFrame = (view: View, which: (frame: FrameObservation) => boolean, change: Partial<FrameObservation>): View => {
  const found = [...view.frames.values()].findLast(which)!;
  return { ...view, frames: new Map([...view.frames, [found.mfn, { ...found, ...change }]]) };
};
const isPlain = ({ owner, type }: FrameObservation): boolean => owner === 0 && type === 'writable';
const port = { vcpu: 0, number: null, remote_dom: null, remote_port: null } as const;
const grant = { ref: 8, domid: 1, host_read: 0, host_write: 0, device_read: 0, device_write: 0 } as const;

/** What a broken machine would show, and which invariant says so. */
const SPOILED: readonly (readonly [what: string, InvariantId, (view: View) => View])[] = [
  ['a reference too many', 'count/references', (view) => withFrame(view, isPlain, { refs: 9 })],
  ['a reference too few', 'count/references', (view) => withFrame(view, isPlain, { refs: 1 })],
  ['a use too many', 'count/types', (view) => withFrame(view, isPlain, { type_refs: 7 })],
  ['a page table that is mapped writable', 'count/types', (view) => withFrame(view, isPlain, { type: 'seg_desc' })],
  ['a page that nobody counted', 'count/pages', (view) => withDomain(view, 1, ({ pages }) => ({ pages: pages - 1 }))],
  [
    'a grant mapped without a handle',
    'count/grants',
    (view) => withDomain(view, 0, () => ({ active_grants: [{ ...grant, mfn: 1, device_read: 1 }] })),
  ],
  [
    'a handle without a grant',
    'count/grants',
    (view) => withDomain(view, 1, () => ({ maptrack: [{ handle: 0, domid: 0, ref: 8, flags: 2 }] })),
  ],
  [
    'a mapping of another domain’s frame',
    'owner/mappings',
    (view) => withFrame(view, ({ owner, type }) => owner === 1 && type === 'writable', { owner: 0 }),
  ],
  ['a table of another domain', 'owner/tables', (view) => withFrame(view, ({ owner, type }) => owner === 1 && type === 'l1', { owner: 0 })],
  [
    'a page of another domain that a processor still leads to',
    'owner/translations',
    (view) => ({ ...view, cached: [{ domid: 1, leads: new Map([[[...view.frames.values()].findLast(isPlain)!.mfn, 1]]) }] }),
  ],
  [
    'one end of a channel',
    'channel/pairs',
    (view) => withDomain(view, 0, () => ({ ports: [{ ...port, port: 1, status: 'interdomain', remote_dom: 1, remote_port: 900 }] })),
  ],
  [
    'two ports of a virtual interrupt',
    'channel/once',
    (view) => withDomain(view, 0, () => ({ ports: [7, 8].map((n) => ({ ...port, port: n, status: 'virq' as const, number: 1 })) })),
  ],
  ['I/O privilege', 'authority/ring', (view) => withVcpu(view, { rflags: '0x3202' })],
  ['ring 0', 'authority/ring', (view) => withVcpu(view, { cs: 0xe008 })],
  ['a claim on what is not there', 'quota/limits', (view) => withDomain(view, 0, () => ({ claimed: 0x7fff_ffff }))],
  [
    'a frame of a domain that is gone',
    'gone/remains',
    (view) => ({ ...view, observation: { ...view.observation, domains: view.observation.domains.slice(0, 1) } }),
  ],
  [
    'a table checked in one go',
    'work/bounded',
    (view) => ({ ...view, work: [{ call: 'mmu_update', domid: 1, kind: 'slot', units: 512 * 512 }] }),
  ],
  ['a call that goes on behind its end', 'neutral/exit', (view) => ({ ...view, left: ['a multicall goes on'] })],
  ['a fault of its own', 'total/machine', (view) => ({ ...view, fault: 'a frame beyond the frame table' })],
];

test.each(SPOILED)('%s is told by %s', async (_, invariant, spoil) => {
  const view = await booted();
  expect([...violations(view)]).toEqual([]);
  expect(new Set([...violations(spoil(view))].map((found) => found.invariant))).toContain(invariant);
});

test('each invariant has been seen to fail', () => {
  expect(new Set(SPOILED.map(([, invariant]) => invariant))).toEqual(new Set(Object.keys(INVARIANTS)));
});
