import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelBug } from '#spec/failure.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { candidatesOf, coreOf, inductiveCoreOf } from './configs.ts';
import { type Core, CUT } from './core.ts';
import { induct } from './induction.ts';
import { pathTo, programOf } from './path.ts';
import { replay } from './replay.ts';
import { newTable, search } from './search.ts';
import { StateTable, tableMemory } from './table.ts';

const ALL = 100_000;

describe('event channels of two ports', () => {
  const core = coreOf('channels');
  test('have as many states as they have always had, at the same distances, and every one is in order', async () => {
    const { states, levels, violation, complete, sometimes, clauses, transitions } = await search(core, { states: ALL });
    expect(violation).toBeNull();
    expect({ complete, states, transitions }).toEqual({ complete: true, states: 10_769, transitions: 452_298 });
    expect(levels).toEqual([1, 10, 75, 300, 974, 1124, 2304, 2144, 1970, 1129, 674, 14, 50]);
    expect([...sometimes].sort()).toEqual(Object.keys(core.sometimes).sort());
    expect(core.clauses.filter((clause) => !clauses.has(clause))).toEqual([]);
  }, 60_000);

  test.each([
    ['channels', { candidates: 1515, states: 1371, transitions: 57_582, cut: 11_692 }],
    ['channels_vcpus', { candidates: 17_593, states: 16_129, transitions: 838_708, cut: 217_160 }],
  ])(
    'keep the invariants from every state of %s that satisfies them',
    (name, counts) => {
      expect(induct(inductiveCoreOf(name), candidatesOf(name))).toEqual({ ...counts, violation: null });
    },
    60_000,
  );

  test('a state has one number, and a number one state', () => {
    for (const state of candidatesOf('channels'))
      try {
        expect(core.encode(core.decode(state))).toBe(state);
      } catch (error) {
        // Two ports for one virtual interrupt: the invariants refuse it, and so does the number.
        expect(error).toBeInstanceOf(ModelBug);
        expect(core.broken(core.decode(state))).toMatch(/^d[01] has two ports for VIRQ/);
      }
  });
});

test('two domains that can be taken for one another have one number', async () => {
  const core = coreOf('channels_peers');
  const act = (machine: ReturnType<Core['decode']>, name: string) => core.actions.find((action) => action.name === name)!.apply(machine)!;
  const [one, other] = [1, 2].map((domid) => act(core.initial[0]!, `d${domid} alloc_unbound(dom SELF, remote_dom ${3 - domid})`));
  expect(core.encode(one!)).toBe(core.encode(other!));
  const { states, violation } = await search(core, { states: 5000 });
  expect({ states, violation }).toEqual({ states: 5000, violation: null });
});

/** A core in which something is wrong on purpose. */
const spoiled = (core: Core, change: Partial<Core>): Core => ({ ...core, ...change });

test('the shortest way to what does not hold is found, and runs as a program on both machines', async () => {
  const plain = coreOf('channels');
  const joined = plain.sometimes['a channel between two domains']!;
  const core = spoiled(plain, { broken: (machine) => (joined(machine) ? 'a channel between two domains' : null) });
  const found = await search(core, { states: ALL });
  expect(found.violation?.what).toBe('a channel between two domains');
  const path = pathTo(core, found.table, found.violation!);
  expect(path).toHaveLength(2);
  const program = programOf(core, path)!;
  expect(program.steps.map((step) => step.do)).toEqual(['hypercall', 'hypercall']);
  expect(await replay(program)).toEqual({ model: 'the invariants hold', executor: 'the invariants hold', together: 'they agree' });
}, 60_000);

test('what changes outside the scope is no silent loss', async () => {
  const plain = coreOf('channels');
  const outside = { name: 'the clock goes on', apply: (machine: ReturnType<Core['decode']>) => ({ ...machine, now: machine.now + 1 }) };
  const found = await search(spoiled(plain, { actions: [outside] }), { states: ALL });
  expect(found.violation?.what).toBe('ModelBug: outside the scope, machine.now changed');
});

test('an interesting state that is never seen is missing', async () => {
  const plain = coreOf('channels');
  const core = spoiled(plain, { actions: plain.actions.filter(({ name }) => !name.includes('bind_interdomain')) });
  const { sometimes, complete } = await search(core, { states: ALL });
  expect(complete).toBe(true);
  expect(sometimes.has('a channel between two domains')).toBe(false);
});

test('an invariant that is not inductive is told with the step that leaves it', () => {
  const plain = inductiveCoreOf('channels');
  const none = spoiled(plain, {
    broken: (machine) => plain.broken(machine) ?? (machine.domains[0]!.channels[0]?.used ? 'a port is used' : null),
  });
  expect(induct(none, candidatesOf('channels')).violation?.what).toBe('a port is used');
});

test('the table holds each state once, and no more than it has room for', () => {
  const table = new StateTable(tableMemory(100));
  const states = Array.from({ length: 90 }, (_, i) => i * 2 ** 45);
  expect(states.every((state) => table.add(state, -1))).toBe(true);
  expect(states.some((state) => table.add(state, -1))).toBe(false);
  for (let i = 1; i < 50; i++) table.add(i, 3);
  expect([table.found, table.isFull, table.parents[95]]).toEqual([100, true, 3]);
  expect(CUT).toBeLessThan(0);
});

test('a search that was left goes on to the same end', async () => {
  const core = coreOf('channels');
  const folder = mkdtempSync(join(tmpdir(), 'xenspec-search-'));
  try {
    const file = join(folder, 'search');
    await search(core, { states: 3000, onLevel: (searched) => saveCheckpoint(file, 'channels', core.bound, searched) });
    const { table } = newTable(ALL);
    const from = loadCheckpoint(file, 'channels', core.bound, table);
    expect(from.levels).toEqual([1, 10, 75, 300, 974, 1124]);
    const { states, transitions, complete } = await search(core, { states: ALL, table, from });
    expect({ complete, states, transitions }).toEqual({ complete: true, states: 10_769, transitions: 452_298 });

    const fresh = (): StateTable => newTable(ALL).table;
    expect(() => loadCheckpoint(file, 'channels_3', core.bound, fresh())).toThrow('is of the small machine channels, not channels_3');
    expect(() => loadCheckpoint(file, 'channels', core.bound, newTable(100).table)).toThrow(
      'has 2484 states already; --states must be more',
    );
    truncateSync(file, 5000);
    expect(() => loadCheckpoint(file, 'channels', core.bound, fresh())).toThrow('is damaged: 2484 states should make');
    truncateSync(file, 20);
    expect(() => loadCheckpoint(file, 'channels', core.bound, fresh())).toThrow('is no search that can go on');
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
