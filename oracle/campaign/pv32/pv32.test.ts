/** Generated programs of 32-bit guests: drawn alike from a seed, run on the executor by themselves and in lockstep, shrunk. */
import { expect, test } from 'vitest';
import type { Engine } from '#spec/engine.ts';
import { BadInput } from '#spec/failure.ts';
import { loadEngine } from '../engines.ts';
import { checkPv32 } from './check.ts';
import { firstFrameOf } from './machine.ts';
import { drawProgram, FAMILY_NAMES, imageOf } from './program.ts';

const [model, executor] = [await loadEngine('model'), await loadEngine('executor')];

test('a seed draws the same program each time', () => {
  const draw = (seed: number): Uint8Array => imageOf(drawProgram(seed, firstFrameOf('dom0'), 60));
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(() => drawProgram(1, 0, 1, ['no_such'])).toThrow(BadInput);
});

test('as domain 0 and beside one, with steps of nearly every family', () => {
  const { programs, hypercalls, finishes, families, counterexample } = checkPv32(
    { reference: executor, subject: executor },
    { first: 1, programs: 16 },
  );
  expect(counterexample).toBeNull();
  expect(programs).toBe(16);
  expect(hypercalls).toBeGreaterThan(500);
  expect((finishes.get('halted') ?? 0) + (finishes.get('idle') ?? 0)).toBeGreaterThan(programs / 2);
  expect(families.size).toBeGreaterThan(FAMILY_NAMES.length - 5);
});

test('model and executor agree as far as both go', () => {
  expect(checkPv32({ reference: model, subject: executor }, { first: 1, programs: 30 }).counterexample).toBeNull();
});

test('a divergence is shrunk to the steps that it takes', () => {
  const forgetful: typeof executor = (config, images) => {
    const engine: Engine = executor(config, images);
    return {
      ...engine,
      status: () => engine.status(),
      observe: () => engine.observe(),
      populated: () => engine.populated(),
      page: (mfn) => engine.page(mfn),
      frames: () => engine.frames(),
      apply: (input) => {
        const report = engine.apply(input);
        return { ...report, events: report.events.filter((event) => event.kind !== 'hypercall' || event.call !== 'console_io') };
      },
    };
  };
  const { counterexample } = checkPv32(
    { reference: executor, subject: forgetful },
    { first: 1, programs: 20, families: ['console_io', 'ud2', 'nmi_op'] },
  );
  expect(counterexample?.program.steps.map(({ family }) => family)).toEqual(['console_io']);
});
