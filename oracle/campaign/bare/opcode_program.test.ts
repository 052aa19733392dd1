import { expect, test } from 'vitest';
import { barePc } from '#spec/machines/bare_pc.ts';
import { loadBare } from '../system/engines.ts';
import { bareLockstep } from './lockstep.ts';
import { opcodeProgram } from './opcode_program.ts';

const pair = { reference: await loadBare('model'), subject: await loadBare('executor') };
const config = { ...barePc('', 16), lenient: true };
const PROGRAMS = 40;

test('programs of system opcodes leave model and executor alike', () => {
  const differences: unknown[] = [];
  for (let seed = 0; seed < PROGRAMS; seed++) {
    const { end } = bareLockstep(pair, { config, image: opcodeProgram(seed), steps: 400, slice: 20, memoryEvery: 20 });
    if (typeof end === 'object' && 'difference' in end) differences.push({ seed, ...end.difference });
  }
  expect(differences).toEqual([]);
});
