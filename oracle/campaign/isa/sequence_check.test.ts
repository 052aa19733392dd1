import { expect, it } from 'vitest';
import { sequence } from '../../generators/isa/sequence.ts';
import { runSequence } from './sequence_check.ts';
import { executorMachine, modelMachine } from './sequence_machines.ts';

it('model and executor agree on long programs of instructions', () => {
  for (const seed of [1, 2, 3]) {
    const run = runSequence(seed, 15_000);
    expect(run.difference).toBeNull();
    expect(run.steps).toBe(15_000);
    expect(run.interruptions).toBeGreaterThan(50);
  }
});

it('a machine shows every register, flag and byte of memory', () => {
  const { code } = sequence(1);
  for (const make of [modelMachine, executorMachine]) {
    const fresh = make(code);
    const machine = make(code);
    expect([machine.state(), machine.memory()]).toEqual([fresh.state(), fresh.memory()]);
    machine.setRegister(15, 1n);
    expect(machine.state()).not.toBe(fresh.state());
    const other = code.slice();
    other[4095] ^= 1;
    expect(make(other).memory()).not.toBe(fresh.memory());
  }
  expect(modelMachine(code).memory()).toBe(executorMachine(code).memory());
});
