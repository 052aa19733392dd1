import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelBug } from '#spec/failure.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { candidatesOf, coreOf, inductiveCoreOf } from './configs.ts';
import type { Core } from './core.ts';
import { induct } from './induction.ts';
import { pathTo, programOf } from './path.ts';
import { replay } from './replay.ts';
import { newTable, search } from './search.ts';
import { canonical, packingOf } from './slots.ts';
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

  test('values make one machine, and a machine one choice of values', () => {
    const again = new Int32Array(core.slots.length);
    for (const values of candidatesOf('channels'))
      try {
        core.encode(core.decode(values), again);
        expect(again).toEqual(values);
      } catch (error) {
        // Two ports for one virtual interrupt: the invariants refuse it, and so does the code.
        expect(error).toBeInstanceOf(ModelBug);
        expect(core.broken(values)).toMatch(/^d[01] has two ports for one virtual interrupt/);
      }
  });
});

test('two domains that can be taken for one another are one state', async () => {
  const core = coreOf('channels_peers');
  const act = (machine: ReturnType<Core['decode']>, name: string) => core.actions.find((action) => action.name === name)!.apply(machine)!;
  const [one, other] = [1, 2].map((domid) => act(core.initial[0]!, `d${domid} alloc_unbound(dom SELF, remote_dom ${3 - domid})`));
  const name = (machine: ReturnType<Core['decode']>): Int32Array => {
    const values = new Int32Array(core.slots.length);
    expect(core.encode(machine, values)).toBe(true);
    return canonical(packingOf(core.slots), core.symmetries, values);
  };
  expect(name(one!)).toEqual(name(other!));
  const { states, violation } = await search(core, { states: 5000 });
  expect({ states, violation }).toEqual({ states: 5000, violation: null });
});

/** A core in which something is wrong on purpose. */
const spoiled = (core: Core, change: Partial<Core>): Core => ({ ...core, ...change });

test('the shortest way to what does not hold is found, and runs as a program on both machines', async () => {
  const plain = coreOf('channels');
  const joined = plain.sometimes['a channel between two domains']!;
  const core = spoiled(plain, { broken: (values) => (joined(values) ? 'a channel between two domains' : null) });
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
    broken: (values) => plain.broken(values) ?? (values[0] === 0 ? null : 'a port is used'),
  });
  expect(induct(none, candidatesOf('channels')).violation?.what).toBe('a port is used');
});

test('the table holds each state once, and no more than it has room for', () => {
  const table = new StateTable(tableMemory(100, 2));
  const states = Array.from({ length: 90 }, (_, i) => Int32Array.of(i, 1 << 31));
  expect(states.every((state) => table.add(state, 0, -1))).toBe(true);
  expect(states.some((state) => table.add(state, 0, -1))).toBe(false);
  for (let i = 1; i < 50; i++) table.add(Int32Array.of(0, i, 7), 1, 3);
  expect([table.found, table.isFull, table.parents[95]]).toEqual([100, true, 3]);
  expect([...table.states.subarray(0, 4), ...table.states.subarray(190, 192)]).toEqual([0, 1 << 31, 1, 1 << 31, 6, 7]);
});

test('a search that was left goes on to the same end', async () => {
  const core = coreOf('channels');
  const folder = mkdtempSync(join(tmpdir(), 'xenspec-search-'));
  try {
    const file = join(folder, 'search');
    await search(core, { states: 3000, onLevel: (searched) => saveCheckpoint(file, 'channels', searched) });
    const { table } = newTable(core, ALL);
    const from = loadCheckpoint(file, 'channels', table);
    expect(from.levels).toEqual([1, 10, 75, 300, 974, 1124]);
    const { states, transitions, complete } = await search(core, { states: ALL, table, from });
    expect({ complete, states, transitions }).toEqual({ complete: true, states: 10_769, transitions: 452_298 });

    const fresh = (): StateTable => newTable(core, ALL).table;
    expect(() => loadCheckpoint(file, 'channels_3', fresh())).toThrow('is of the small machine channels, not channels_3');
    expect(() => loadCheckpoint(file, 'channels', newTable(core, 100).table)).toThrow('has 2484 states already; --states must be more');
    truncateSync(file, 5000);
    expect(() => loadCheckpoint(file, 'channels', fresh())).toThrow('is damaged: 2484 states should make');
    truncateSync(file, 20);
    expect(() => loadCheckpoint(file, 'channels', fresh())).toThrow('is no search that can go on');
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
