/** The invariants of small machines, which are worked out by tables, against spec/properties; and states against machines. */
import { describe, expect, test } from 'vitest';
import { engineOn } from '#model/engine.ts';
import { grantsOf, updateGrants } from '#model/hypercall/grant_table/handles.ts';
import { writeEntry } from '#model/hypercall/mm/guest_l1e.ts';
import { updateDomain, updateFrame } from '#model/lens.ts';
import type { Machine } from '#model/machine.ts';
import { withItem } from '#model/numbered.ts';
import { fromNumber } from '#model/word/word.ts';
import { viewOf, violations } from '#spec/properties/index.ts';
import { type ConfigName, candidatesOf, coreOf, inductiveCoreOf } from '../configs.ts';
import type { Core } from '../core.ts';
import { REACHABLE } from '../counts.ts';
import { sparePage } from '../machine.ts';
import { search } from '../search.ts';
import { packingOf, renamed, type Values } from '../slots.ts';

const SMALL = ['grants', 'grants_device', 'page_types'] as const satisfies readonly ConfigName[];

/** Some numbers, the same ones in every run. */
const numbers = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
};

/** One in so many of the states from which transitions are tried. */
const some = (name: ConfigName, one: number): readonly Values[] => {
  const found: Values[] = [];
  let n = 0;
  for (const values of candidatesOf(name)) if (n++ % one === 0) found.push(values.slice());
  return found;
};

const holdsByProperties = (core: Core, values: Values): boolean => {
  const machine = core.decode(values);
  const [violation] = violations(viewOf(machine.config, engineOn(machine)));
  return violation === undefined;
};

describe.each(SMALL)('%s', (name) => {
  const core = inductiveCoreOf(name);

  test('values make one machine, and a machine one choice of values', () => {
    const again = new Int32Array(core.slots.length);
    for (const values of some(name, 7)) {
      expect(core.encode(core.decode(values), again)).toBe(true);
      expect(again).toEqual(values);
    }
  }, 60_000);

  test('every state that can be reached is among those from which transitions are tried', async () => {
    const packing = packingOf(core.slots);
    const text = (values: Values): string => {
      const words = new Int32Array(packing.words);
      packing.pack(values, words);
      return words.join();
    };
    const candidates = new Set<string>();
    for (const values of candidatesOf(name)) if (core.broken(values) === null) candidates.add(text(values));
    const { table, states } = await search(coreOf(name), { states: 100_000 });
    let missing = 0;
    for (let place = 0; place < states; place++)
      if (!candidates.has([...table.states.subarray(place * packing.words, (place + 1) * packing.words)].join())) missing++;
    expect({ missing, more: candidates.size > states }).toEqual({ missing: 0, more: true });
  }, 60_000);

  test('states that satisfy the invariants by tables do so by the properties, and those that do not do not', () => {
    const random = numbers(name.length);
    const wrong: string[] = [];
    const counts = { whole: 0, broken: 0 };
    for (const values of some(name, 50)) {
      if (core.broken(values) !== null) continue;
      counts.whole++;
      if (!holdsByProperties(core, values)) wrong.push(`${values} is broken by the properties alone`);
      const slot = random(core.slots.length);
      const other = values.slice();
      other[slot] = random(core.slots[slot]!.size);
      const [what, holds] = [core.broken(other), holdsByProperties(core, other)];
      if (what !== null) counts.broken++;
      if ((what === null) !== holds)
        wrong.push(`${core.slots[slot]!.name} ${other[slot]} in ${values}: ${what}, by the properties ${holds}`);
    }
    expect(wrong).toEqual([]);
    expect(Math.min(counts.whole, counts.broken)).toBeGreaterThan(5);
  }, 60_000);
});

test('states of frames that are taken for one another stand for as many as there are with names', async () => {
  const core = coreOf('page_types_taken');
  const packing = packingOf(core.slots);
  const text = (values: Values): string => {
    const words = new Int32Array(packing.words);
    packing.pack(values, words);
    return words.join();
  };
  const { table, states, complete, violation } = await search(core, { states: 100_000 });
  const values = new Int32Array(core.slots.length);
  let named = 0;
  for (let place = 0; place < states; place++) {
    packing.unpack(table.states, place * packing.words, values);
    named += new Set([text(values), ...core.symmetries.map((symmetry) => text(renamed(values, symmetry)))]).size;
  }
  expect({ states, complete, violation, named }).toEqual({
    states: REACHABLE.page_types_taken!.states,
    complete: true,
    violation: null,
    named: REACHABLE.page_types_3!.states,
  });
}, 120_000);

describe('what changes outside the parts is no silent loss', () => {
  const core = coreOf('grants');
  const [base] = core.initial;
  const { mfn } = sparePage(base!, 1, 0);
  const { entry } = sparePage(base!, 0, 0);
  const one = fromNumber(1);
  test.each<[string, (machine: Machine) => Machine, string]>([
    ['a word of a page that is told in part', (m) => writeEntry(m, { mfn: entry.mfn, index: 500 }, one), 'word 500 of frame 0x'],
    ['a word of another page', (m) => writeEntry(m, { mfn, index: 3 }, one), 'word 3 of frame 0x'],
    ['a told word that is what it never is', (m) => writeEntry(m, entry, one), "d0's entry 0 to what it never is"],
    ['another frame', (m) => updateFrame(m, mfn + 1, { refs: 9 }), `frame 0x${(mfn + 1).toString(16)} changed`],
    ['the owner of a frame', (m) => updateFrame(m, mfn, { owner: 0 }), 'frame 0 changed'],
    ['a strange use of a frame', (m) => updateFrame(m, mfn, { type: 'l4', typeRefs: 1 }), 'the use of frame 0 to l4,1'],
    ['whose handles they are', (m) => updateGrants(m, 0, { handleOwners: [3] }), 'handleOwners of d0 changed'],
    ['the handles of a domain that maps nothing', (m) => updateGrants(m, 1, { maptrack: [null] }), 'maptrack of d1 changed'],
    [
      'the use of another grant',
      (m) => updateGrants(m, 1, { active: withItem(grantsOf(m, 1).active, 20, USE) }),
      'the use of another grant of d1',
    ],
    ['a handle that is free and used', (m) => updateGrants(m, 0, { freeHandles: [[1, 1]] }), 'neither free nor used, or both'],
    ['a field of a domain', (m) => updateDomain(m, 1, { pages: 3 }), 'domain.pages changed'],
  ])('%s', (_, change, what) => {
    const decoded = core.decode(valuesOf(core));
    expect(() => core.encode(change(decoded), new Int32Array(core.slots.length))).toThrow(what);
  });
  test('a table that stays half way is beyond the scope', () => {
    const half = updateFrame(core.decode(valuesOf(core)), mfn, { type: 'l1', typeRefs: 1, partial: { entries: 3, nested: false } });
    expect(core.encode(half, new Int32Array(core.slots.length))).toBe(false);
  });
});

const USE = { mfn: 0x2000, domid: 0, hostRead: 1, hostWrite: 0, deviceRead: 0, deviceWrite: 0 };

/** Of the state in which it begins. */
const valuesOf = (core: Core): Values => {
  const values = new Int32Array(core.slots.length);
  core.encode(core.initial[0]!, values);
  return values;
};
