import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { type Argument, Program } from '#spec/program.ts';
import { buildImages, domainsOf, titleOf } from '../image/index.ts';
import { arbitraryProgram, generateProgram, optionsOfSeed } from './program.ts';

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('a seed makes the same program each time, and another one another', () => {
  for (const seed of seeds(20)) expect(generateProgram(seed)).toEqual(generateProgram(seed));
  expect(new Set(seeds(50).map((seed) => JSON.stringify(generateProgram(seed)))).size).toBe(50);
});

test('every program is one by the schema, its steps have numbers of their own, and an image comes of it', () => {
  for (const seed of seeds(150)) {
    const program = generateProgram(seed);
    expect(Program.safeParse(program).error).toBeUndefined();
    expect(new Set(program.steps.map((s) => s.id)).size).toBe(program.steps.length);
    expect(buildImages(program).length).toBe(domainsOf(program));
  }
});

test('even seeds are directed, odd ones wild, and a quarter spans two domains', () => {
  expect(seeds(8).map((seed) => optionsOfSeed(seed).kind)).toEqual([
    'directed',
    'wild',
    'directed',
    'wild',
    'directed',
    'wild',
    'directed',
    'wild',
  ]);
  expect(seeds(80).filter((seed) => optionsOfSeed(seed).domains === 2).length).toBe(20);
});

test('an end that is not orderly comes last', () => {
  for (const seed of seeds(300)) {
    const { steps } = generateProgram(seed);
    expect(steps.slice(0, -1).some((s) => s.do === 'end')).toBe(false);
  }
});

/** Names of all operations in a program, those in batches included. */
const operations = (program: Program): Set<string> => {
  const names = new Set<string>();
  const batches = { 'xen.mmuext_op': 'mmuext_op', 'xen.mmu_update': 'mmu_update' } as const;
  const visit = (argument: Argument): void => {
    if (typeof argument !== 'object') return;
    if ('structs' in argument)
      for (const { struct, fields } of argument.structs) {
        if (struct === 'xen.mmuext_op') names.add(`${batches[struct]}/${String(fields['cmd'])}`);
        if (struct === 'xen.mmu_update') {
          const { ptr } = fields;
          names.add(`mmu_update/${typeof ptr === 'object' && 'plus' in ptr ? (ptr.plus ?? 0) & 3 : 0}`);
        }
      }
    if ('calls' in argument) for (const call of argument.calls) call.args.forEach(visit);
  };
  for (const step of program.steps) {
    names.add(titleOf(step));
    if (step.do === 'hypercall') step.args.forEach(visit);
  }
  return names;
};

/** Not in the slice, only refused there, or what would end the program in the middle. */
const LEFT_OUT = new Set([
  'sched_op/block',
  'sched_op/shutdown',
  'grant_table_op/dump_table',
  'grant_table_op/transfer',
  'grant_table_op/copy',
  'grant_table_op/unmap_and_replace',
  'grant_table_op/set_version',
  'grant_table_op/get_status_frames',
  'grant_table_op/get_version',
  'grant_table_op/swap_grant_ref',
  'grant_table_op/cache_flush',
]);

test('every sub-operation of the slice is generated', () => {
  const seen = new Set<string>();
  for (const seed of seeds(2000)) for (const name of operations(generateProgram(seed))) seen.add(name);
  const missing: string[] = [];
  for (const call of [
    'event_channel_op',
    'sched_op',
    'vcpu_op',
    'xen_version',
    'console_io',
    'vm_assist',
    'callback_op',
    'grant_table_op',
  ] as const)
    for (const name of Object.keys(SUBOPERATIONS[call]))
      if (!seen.has(`${call}/${name}`) && !LEFT_OUT.has(`${call}/${name}`)) missing.push(`${call}/${name}`);
  for (const call of ['mmuext_op', 'mmu_update'] as const)
    for (const [name, number] of Object.entries(SUBOPERATIONS[call])) if (!seen.has(`${call}/${number}`)) missing.push(`${call}/${name}`);
  for (const call of [
    'set_trap_table',
    'set_callbacks',
    'stack_switch',
    'fpu_taskswitch',
    'set_debugreg',
    'get_debugreg',
    'update_va_mapping',
    'set_timer_op',
    'set_segment_base',
    'multicall',
  ])
    if (!seen.has(call)) missing.push(call);
  for (const other of [
    'wait/block/singleshot',
    'wait/block/set_timer_op',
    'wait/block/periodic',
    'wait/poll/none',
    'code/user',
    'read/user',
    'execute',
    'end/shutdown',
  ])
    if (!seen.has(other)) missing.push(other);
  expect(missing).toEqual([]);
});

test('fast-check shrinks a program to the step that matters', () => {
  const property = fc.property(arbitraryProgram({ steps: 12 }), ({ steps }) => !steps.some((s) => s.do === 'code'));
  const result = fc.check(property, { seed: 1, numRuns: 50 });
  expect(result.failed).toBe(true);
  expect(result.counterexample?.[0].steps.length).toBe(1);
});
