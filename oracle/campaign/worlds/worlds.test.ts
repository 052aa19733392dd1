/** Two worlds on both machines: alike from a seed, and nothing seen that may not be seen. */
import { expect, test } from 'vitest';
import { loadEngine } from '../engines.ts';
import { checkWorlds } from './check.ts';
import { drive } from './drive.ts';
import { worldOf } from './image.ts';
import { actsOf, drawPair, VARIATIONS } from './pair.ts';

const [model, executor] = [await loadEngine('model'), await loadEngine('executor')];

test('a seed draws the same pair each time, and its worlds differ in what the one that looks on must not see', () => {
  for (const seed of [4, 5, 6, 7]) {
    const [pair, again] = [drawPair(seed), drawPair(seed)];
    expect(worldOf(pair, 0).images).toEqual(worldOf(again, 0).images);
    const [first, second] = [worldOf(pair, 0), worldOf(pair, 1)];
    expect(first.images[pair.observer]).toEqual(second.images[pair.observer]);
    for (const place of [0, 1, 2].filter((p) => p !== pair.observer)) expect(first.images[place]).not.toEqual(second.images[place]);
    expect(pair.domids[0][pair.observer]).toBe(pair.domids[1][pair.observer]);
  }
});

test.each([
  ['model', model, 101, 4],
  ['executor', executor, 201, 60],
] as const)('after every input both worlds look the same on the %s, and things come by every flow', (name, boot, first, runs) => {
  const { leak, variations, flows, hypercalls, stops } = checkWorlds(boot, { first, runs });
  expect(leak && { ...leak, pair: undefined }).toBeNull();
  expect(stops).toEqual({});
  expect(new Set(Object.keys(variations))).toEqual(new Set(VARIATIONS));
  expect(hypercalls).toBeGreaterThan(50 * runs);
  if (name === 'executor')
    expect(Object.keys(flows).sort()).toEqual([
      'flow/channel',
      'flow/controlled',
      'flow/frame-numbers',
      'flow/granted',
      'flow/transferred',
    ]);
});

test('both machines take a pair the same way', () => {
  for (const seed of [1, 2]) {
    const [a, b] = [drive(model, drawPair(seed)), drive(executor, drawPair(seed))];
    expect([a.transitions, a.hypercalls, a.retired]).toEqual([b.transitions, b.hypercalls, b.retired]);
  }
  expect(actsOf(drawPair(1))).toBeGreaterThan(15);
});
