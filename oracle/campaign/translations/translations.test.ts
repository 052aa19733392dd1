/** Flushes that are left out: the invariant of cached translations tells each, on the one machine, without another beside it. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Mutant } from '../../mutants/catalogue.ts';
import { FLUSHES } from '../../mutants/flushes.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Data, Told } from './worker.ts';

const watched = (mutant: Mutant | null): Promise<Told> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { mutant, scenarios: new URL('./scenarios.ts', import.meta.url).href } satisfies Data,
    });
    worker.once('message', resolve).once('error', reject);
  });

/** What each missing flush lets stand, and in which scenarios it is met. */
const TOLD: Readonly<Record<(typeof FLUSHES)[number]['id'], readonly (readonly [scenario: string, what: RegExp])[]>> = {
  'flush-type': [['retyped', /^owner\/translations: processor \d may have cached for d0 a page table, to be written/]],
  'flush-stamp': [['retyped', /^owner\/translations: processor \d may have cached for d0 a page table, to be written/]],
  'flush-allocated': [['handed_on', /^owner\/translations: processor \d may have cached for d1 a frame of d0 that it was not granted/]],
  'flush-grant': [['ungranted', /^owner\/translations: processor \d may have cached for d1 a frame of d0 that it was not granted/]],
};

test('on the machine as it is nothing stands that may not', async () =>
  expect(await watched(null)).toEqual(Object.fromEntries(Object.keys(SCENARIOS).map((name) => [name, null]))));

test.each(FLUSHES)('$id is told: $summary', async (mutant) => {
  const told = await watched(mutant);
  const expected = new Map(TOLD[mutant.id]);
  for (const [scenario, what] of Object.entries(told))
    if (expected.has(scenario)) expect(what, scenario).toMatch(expected.get(scenario)!);
    else expect(what, scenario).toBeNull();
});

test('each scenario is one that some missing flush shows in', () =>
  expect(new Set(Object.values(TOLD).flatMap((met) => met.map(([scenario]) => scenario)))).toEqual(new Set(Object.keys(SCENARIOS))));
