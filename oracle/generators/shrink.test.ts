import { expect, test } from 'vitest';
import type { Call, Program, Step } from '#spec/program.ts';
import { unrolled } from '../image/compile/unrolled.ts';
import { buildImages } from '../image/index.ts';
import { generateProgram } from './program.ts';
import { shrinkProgram, simplifications } from './shrink.ts';

const usesAdc = (program: Program): boolean =>
  program.steps.some((s) => s.do === 'code' && s.code.some((i) => 'op' in i && i.op === 'adc'));

test('only what the failure needs is left', () => {
  const seed = Array.from({ length: 100 }, (_, i) => i).find((s) => usesAdc(generateProgram(s))) as number;
  const smallest = shrinkProgram(generateProgram(seed), usesAdc);
  expect(smallest.steps.length).toBe(1);
  const [step] = smallest.steps as [Extract<Step, { do: 'code' }>];
  expect(step.code.length).toBe(1);
  expect(step.regs).toEqual({});
});

test('steps that need each other stay together', () => {
  const needs = (program: Program): boolean => {
    const ids = program.steps.map((s) => s.id);
    return ids.includes(3) && ids.includes(9) && ids.indexOf(3) < ids.indexOf(9);
  };
  const smallest = shrinkProgram(generateProgram(4), needs);
  expect(smallest.steps.map((s) => s.id)).toEqual([3, 9]);
});

test('a port said by its number moves up with the steps before it', () => {
  const bind = (id: number): Step => ({
    id,
    do: 'hypercall',
    call: 'event_channel_op',
    args: [7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 0 } }],
  });
  const send = (port: number): Step => ({
    id: 9,
    do: 'hypercall',
    call: 'event_channel_op',
    args: [4, { struct: 'evtchn.send', fields: { port } }],
  });
  // Fails when the last port that was bound is sent to.
  const fails = ({ steps }: Program): boolean =>
    steps.length > 1 && JSON.stringify(steps.at(-1)) === JSON.stringify(send(steps.length - 1));
  const program: Program = { ...generateProgram(1), steps: [bind(1), bind(2), bind(3), bind(4), send(4)] };
  expect(shrinkProgram(program, fails).steps).toHaveLength(2);
});

test('a predicate that never holds leaves the program as it is, and the budget is kept', () => {
  const program = generateProgram(2);
  let asked = 0;
  const never = () => {
    asked++;
    return false;
  };
  expect(shrinkProgram(program, never, 25)).toBe(program);
  expect(asked).toBe(25);
});

test('every simplification is a program that can be built, and none goes on for ever', () => {
  for (const seed of [0, 1, 2, 3, 6, 7]) {
    const program = generateProgram(seed);
    let count = 0;
    for (const smaller of simplifications(program)) {
      expect(JSON.stringify(smaller)).not.toBe(JSON.stringify(program));
      if (count++ % 7 === 0) expect(buildImages(smaller).length).toBeGreaterThan(0);
    }
    expect(count).toBeLessThan(5000);
  }
});

test('many drawn calls become the few that matter, although fewer draws would not do', () => {
  const calls: Call[] = [17, 21, 32, 33, 40, 41, 57].map((type) => ({ call: 'vm_assist', args: [0, type] }));
  const program: Program = { steps: [{ id: 1, do: 'calls', calls, draws: 600, seed: 0x1234_5678 }] };
  const made = ({ steps }: Program): readonly Call[] =>
    steps.flatMap((step) => (step.do !== 'calls' ? [] : step.draws === undefined ? step.calls : unrolled(step)));
  const times = (one: Program): number => made(one).filter(({ args }) => args[1] === 57).length;
  expect(times(program)).toBeGreaterThan(50);
  const small = shrinkProgram(program, (one) => times(one) >= 50);
  // Without unrolling the draws stay, seven times as many.
  expect(made(small).length).toBeLessThan(100);
});

test('a call that fails when it is made again with its own arguments is drawn alone', () => {
  const calls: Call[] = [17, 21, 32, 33, 40, 41, 57].map((type) => ({ call: 'vm_assist', args: [0, type] }));
  const program: Program = { steps: [{ id: 1, do: 'calls', calls, draws: 40, seed: 0x1234_5678 }] };
  // Listed calls never fail, as each has arguments that nobody wrote to.
  const fails = ({ steps }: Program): boolean =>
    steps.some((step) => step.do === 'calls' && step.draws !== undefined && unrolled(step).filter(({ args }) => args[1] === 57).length > 1);
  const [step] = shrinkProgram(program, fails).steps as [Extract<Step, { do: 'calls' }>];
  expect(step.calls).toEqual([calls.at(-1)]);
});
