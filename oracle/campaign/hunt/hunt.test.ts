import { expect, test } from 'vitest';
import { mutantOfAdvisory } from '../../mutants/advisories/index.ts';
import { loadEngine } from '../engines.ts';
import { type Attempt, attempts, KINDS } from './attempt.ts';
import { hunt } from './hunt.ts';
import { compared, violated } from './methods.ts';
import { preyOf } from './subject.ts';

const freshSeed = (): number => Math.floor(Date.now() / 1000) % 0x3fff_0000;

test('a reference beyond the table is found from a fresh seed, and the program made small', { timeout: 60_000 }, async () => {
  const { comparison } = await hunt(mutantOfAdvisory('18')!, { methods: ['comparison'], first: freshSeed(), budgetMs: 30_000 });
  expect(comparison?.what).toBeDefined();
  expect(comparison?.steps).toBeLessThanOrEqual(5);
});

test('of the machine as it is neither method says anything', { timeout: 60_000 }, async () => {
  const [reference, subject] = [await loadEngine('model'), await loadEngine('executor')];
  for (const kind of KINDS) {
    const prey = preyOf({ kind, seed: 12 });
    expect(compared({ reference, subject }, prey), kind).toBeNull();
    expect(violated(subject, prey), kind).toBeNull();
  }
});

test('every kind of program has its turn, with seeds of its own', () => {
  const drawn = attempts(5);
  const first = Array.from({ length: 11 }, () => drawn.next().value as Attempt);
  expect(new Set(first.map(({ kind }) => kind))).toEqual(new Set(KINDS));
  for (const kind of KINDS) expect(first.find((one) => one.kind === kind)?.seed).toBe(5);
});
