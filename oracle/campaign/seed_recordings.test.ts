import { expect, it } from 'vitest';
import type { Program } from '#spec/program.ts';
import { batches } from './seed_recordings.ts';

const ordinary: Program = { steps: [{ id: 0, do: 'events' }] };
const ending: Program = { steps: [{ id: 0, do: 'end', how: 'shutdown', reason: 1 }] };
const ofTwo: Program = { steps: [{ id: 0, do: 'events', domain: 1 }] };
const seeded = (...programs: Program[]) => programs.map((program, i) => ({ seed: i + 1, program }));
const seedsOf = (programs: Program[], most: number) => batches(seeded(...programs), most).map((batch) => batch.map((one) => one.seed));

it('puts as many programs into a boot as it may', () => {
  expect(seedsOf([ordinary, ordinary, ordinary, ordinary, ordinary], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(seedsOf([], 3)).toEqual([]);
});

it('gives a boot of its own to what ends the machine, or spans two domains', () => {
  expect(seedsOf([ordinary, ending, ordinary, ofTwo, ordinary], 8)).toEqual([[1, 3, 5], [2], [4]]);
});
