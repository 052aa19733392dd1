import { expect, test } from 'vitest';
import type { Call, Program } from '#spec/program.ts';
import { unrolled } from '../image/compile/unrolled.ts';
import { caseOf } from './case.ts';
import { loadEngine } from './engines.ts';
import { runEngine } from './run.ts';

/** Told apart by their second argument. */
const TYPES: readonly number[] = [17, 21, 32, 33, 40, 41, 57];
const calls: Call[] = TYPES.map((type) => ({ call: 'vm_assist', args: [0, type] }));

test.each([0, 1, 3])('what is listed is what the guest makes, %i multicalls', async (batches) => {
  const step = { do: 'calls' as const, calls, draws: 150, seed: 0x1234_5678, batches, id: 0 };
  const { config, images } = caseOf({ steps: [step] } as Program, 1, 'mixed');
  const made: number[] = [];
  runEngine((await loadEngine('executor'))(config, images), {
    limit: 100_000,
    onEvent: (event) => event.kind === 'hypercall' && event.call === 'vm_assist' && made.push(Number(event.args[1])),
  });
  const listed = unrolled(step).map(({ args }) => args[1] as number);
  expect(listed.length).toBeGreaterThan(100);
  expect(made.filter((type) => TYPES.includes(type))).toEqual(listed);
});
