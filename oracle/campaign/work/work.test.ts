/** Questions that are left out, and flags that stay: invariants tell each, on the one machine, without another beside it; and both machines count alike. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { NotModelled } from '#spec/failure.ts';
import { mutantOfAdvisory } from '../../mutants/advisories/index.ts';
import type { Mutant } from '../../mutants/catalogue.ts';
import { QUESTIONS } from '../../mutants/questions.ts';
import { STICKY } from '../../mutants/sticky.ts';
import { loadEngine } from '../engines.ts';
import type { Attempt } from '../hunt/attempt.ts';
import { preyOf } from '../hunt/subject.ts';
import { runEngine } from '../run.ts';
import type { Data, Told } from '../translations/worker.ts';
import { SCENARIOS } from './scenarios.ts';

const WORKER = new URL('../translations/worker.ts', import.meta.url);
const watched = (mutant: Mutant | null): Promise<Told> =>
  new Promise((resolve, reject) => {
    const workerData: Data = { mutant, scenarios: new URL('./scenarios.ts', import.meta.url).href };
    new Worker(WORKER, { workerData }).once('message', resolve).once('error', reject);
  });

const NO_END = 'without a question';
/** What is gone through where a question is missing, and in which scenarios it is met. */
const TOLD: Readonly<Record<string, readonly (readonly [scenario: string, call: string, kind: string])[]>> = {
  'question-demote': [['tree', 'mmuext_op/unpin_table of d0', 'slot']],
  'question-reset': [['ports', 'event_channel_op/reset of d0', 'port']],
  'question-unmap': [['lists', 'grant_table_op/unmap_grant_ref of d0', 'entry']],
  'question-batch': [['lists', 'mmuext_op/tlb_flush_local of d0', 'entry']],
  'question-multicall': [['lists', 'xen_version/version of d0', 'entry']],
  'question-extents': [['extents', 'memory_op/decrease_reservation of d1', 'entry']],
  'question-frames': (['extents', 'end'] as const).map((scenario) => [scenario, 'domctl/destroydomain of d0', 'frame'] as const),
};
/** Advisories about work without an end in sight, which the meter tells as well. */
const ADVISORIES: typeof TOLD = {
  31: [['extents', 'memory_op/increase_reservation of d1', 'page']],
  45: [['tree', 'mmuext_op/pin_l2_table of d0', 'slot']],
  158: [['extents', 'memory_op/increase_reservation of d1', 'page']],
  344: [['end', 'domctl/destroydomain of d0', 'port']],
  380: [['end', 'domctl/destroydomain of d0', 'handle']],
};
/** Flags that stay set. */
const STAYS: Readonly<Record<(typeof STICKY)[number]['id'], readonly (readonly [scenario: string, what: string])[]>> = {
  'sticky-timer': [['returns', 'a timer is due']],
  'sticky-move': [['returns', 'a vCPU must leave its processor']],
  'sticky-multicall': [['returns', 'a multicall goes on']],
  'sticky-area': [['narrow', 'the area for structures of 32-bit guests is open']],
};

type Expected = readonly (readonly [scenario: string, what: string])[];
const unbounded = (told: (typeof TOLD)[string]): Expected =>
  told.map(([scenario, call, kind]) => [scenario, `work/bounded: ${call} goes through units of ${kind} ${NO_END}`]);
const ALL: readonly (readonly [Mutant, Expected])[] = [
  ...QUESTIONS.map((mutant) => [mutant, unbounded(TOLD[mutant.id]!)] as const),
  ...Object.entries(ADVISORIES).map(([id, told]) => [mutantOfAdvisory(id)!, unbounded(told)] as const),
  ...STICKY.map(
    (mutant) => [mutant, STAYS[mutant.id].map(([name, what]) => [name, `neutral/exit: when all was over: ${what}`] as const)] as const,
  ),
];

test('on the machine as it is all work is bounded, and nothing stays', async () =>
  expect(await watched(null)).toEqual(Object.fromEntries(Object.keys(SCENARIOS).map((name) => [name, null]))));

test.each(ALL)('$id is told: $summary', async (mutant, told) => {
  const expected = new Map(told);
  for (const [scenario, what] of Object.entries(await watched(mutant)))
    expect(what?.replace(/: \d+(, not \d+)?$/, '') ?? null, scenario).toBe(expected.get(scenario) ?? null);
});

test('each scenario is one that some defect shows in', () =>
  expect(new Set(ALL.flatMap(([, told]) => told.map(([scenario]) => scenario)))).toEqual(new Set(Object.keys(SCENARIOS))));

const ATTEMPTS: readonly Attempt[] = (['mixed', 'dense', 'pv32', 'crowd'] as const).flatMap((kind) =>
  [1, 2, 3].map((seed) => ({ kind, seed: 61 * seed })),
);

test('both machines count the same work', async () => {
  const [model, executor] = [await loadEngine('model'), await loadEngine('executor')];
  let met = 0;
  for (const attempt of ATTEMPTS) {
    const { subject, policy, limit } = preyOf(attempt);
    const [expected, seen] = [model, executor].map((boot) => {
      const log: string[] = [];
      const onInput = (retired: number, { work = [] }: { readonly work?: readonly object[] }): void => {
        if (work.length > 0)
          log.push(
            `${retired} ${work
              .map((one) => Object.values(one).join(' '))
              .sort()
              .join('; ')}`,
          );
      };
      try {
        runEngine(boot({ ...subject.config, lenient: true }, subject.images), { policy, limit, onInput });
      } catch (error) {
        if (!(error instanceof NotModelled)) throw error;
      }
      return log;
    });
    expect(seen, `${attempt.kind} ${attempt.seed}`).toEqual(expected);
    met += expected!.length;
  }
  expect(met).toBeGreaterThan(ATTEMPTS.length);
});
