import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { denseProgram } from '../generators/index.ts';
import { loadEngine } from './engines.ts';
import { checkPreemption, PREEMPTIBLE } from './preemption.ts';

const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };

test.each([1, 2, 5])('the program of seed %i ends the same wherever its long calls stop', { timeout: 60_000 }, (seed) => {
  const { questions, runs, finish, parted } = checkPreemption(pair, denseProgram(seed, { ...PREEMPTIBLE, draws: 100 }), 8);
  expect({ finish, parted }).toEqual({ finish: 'halted', parted: [] });
  expect(questions).toBeGreaterThan(0);
  expect(runs).toBeGreaterThan(1);
});

const ext = (cmd: number, page: number | string, arg2: unknown = 0) => ({
  struct: 'xen.mmuext_op',
  fields: { cmd, arg1: { page, as: 'mfn' }, arg2 },
});

test('a level 2 table is validated and given back, stopped at questions all along', { timeout: 60_000 }, () => {
  const program = Program.parse({
    steps: [
      { id: 1, do: 'hypercall', call: 'mmuext_op', args: [{ structs: [ext(17, 0, { page: 'l2', as: 'mfn' })] }, 1, 0, 0x7ff0] },
      { id: 2, do: 'hypercall', call: 'update_va_mapping', args: [{ page: 0, as: 'va' }, { page: 0, as: 'pte', flags: '0x61' }, 2] },
      {
        id: 3,
        do: 'hypercall',
        call: 'mmuext_op',
        args: [{ structs: [ext(1, 0), ext(4, 0)] }, 2, { array: [0], size: 4, show: 'number' }, 0x7ff0],
      },
    ],
  });
  const { questions, parted } = checkPreemption(pair, program, 20);
  expect(parted).toEqual([]);
  // Each of the 512 slots is asked for, but the first of each way.
  expect(questions).toBeGreaterThan(1000);
});
