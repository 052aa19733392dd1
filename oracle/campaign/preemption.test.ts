import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { denseProgram } from '../generators/index.ts';
import { loadEngine } from './engines.ts';
import { checkPreemption, PREEMPTIBLE } from './preemption.ts';

const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };

// Of seeds 3 and 7 the program has two domains.
test.each([1, 2, 3, 7])('the program of seed %i ends the same wherever its long calls stop', { timeout: 60_000 }, (seed) => {
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

test('a call that stops inside a multicall leaves its arguments in the entry, on both engines alike', { timeout: 60_000 }, () => {
  const calls = [
    { call: 'mmuext_op', args: [{ structs: [ext(17, 0, { page: 'l2', as: 'mfn' })] }, 1, 0, 0x7ff0] },
    { call: 'update_va_mapping', args: [{ page: 0, as: 'va' }, { page: 0, as: 'pte', flags: '0x61' }, 2] },
    { call: 'mmuext_op', args: [{ structs: [ext(1, 0), ext(4, 0)] }, 2, 0, 0x7ff0] },
    { call: 'xen_version', args: [0] },
  ];
  const program = Program.parse({ steps: [{ id: 1, do: 'hypercall', call: 'multicall', args: [{ calls }, calls.length] }] });
  const { questions, finish, parted } = checkPreemption(pair, program, 12);
  expect(finish).toBe('halted');
  expect(questions).toBeGreaterThan(1000);
  expect(parted.filter(({ between }) => between === 'engines')).toEqual([]);
  expect(parted.length).toBeGreaterThan(0);
  // The page of the image where the entries stand, in every run that stopped within the third of them.
  expect(new Set(parted.map(({ difference: { path } }) => path.replace(/ \+.*/, ''))).size).toBe(1);
});
