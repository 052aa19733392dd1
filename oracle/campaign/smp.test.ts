import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { lockstep } from '../compare/lockstep.ts';
import { generateProgram, optionsOfSeed } from '../generators/index.ts';
import { caseOf } from './case.ts';
import { loadEngine } from './engines.ts';
import { policyOf } from './judge.ts';

const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };

/** What a program with two vCPUs shows when the engines agree under this policy seed. */
const transcript = (program: Program, seed: number): string => {
  const verdict = lockstep(pair, caseOf(program, seed), { policy: policyOf(seed) });
  if (!verdict.agree) throw new Error(JSON.stringify(verdict.divergence.difference));
  return verdict.events.map((event) => (event.kind === 'console' ? event.bytes : '')).join('');
};

const call = (id: number, name: string, args: readonly unknown[], more = {}) => ({ id, do: 'hypercall', call: name, args, ...more });
const TOUR = Program.parse({
  vcpus: 2,
  steps: [
    call(1, 'vcpu_op', [1, 1, 0]),
    { id: 2, do: 'initialise' },
    { id: 3, do: 'initialise' },
    call(4, 'vcpu_op', [3, 1, 0]),
    call(5, 'vcpu_op', [1, 1, 0]),
    call(6, 'event_channel_op', [7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 1 } }], { vcpu: 1 }),
    call(7, 'event_channel_op', [4, { struct: 'evtchn.send', fields: { port: { step: 6, of: 'port' } } }]),
    call(8, 'vcpu_op', [11, 1, 0]),
    call(9, 'xen_version', [0], { vcpu: 1 }),
    call(10, 'vcpu_op', [2, 1, 0], { vcpu: 1 }),
    call(11, 'vcpu_op', [3, 1, 0]),
    call(12, 'vcpu_op', [1, 1, 0]),
    call(13, 'vcpu_op', [3, 1, 0], { vcpu: 1 }),
  ],
});

test('vCPU 1 starts, answers, is signalled, goes down and comes back, whoever runs when', () => {
  const lines = [
    '0.1 vcpu_op/up rc=-22',
    '0.2 initialise rc=0',
    '0.3 initialise rc=-17',
    '0.4 vcpu_op/is_up rc=0',
    '0.5 vcpu_op/up rc=0',
    '0.6 event_channel_op/bind_ipi rc=0 port=1 seen=0',
    '0.7 event_channel_op/send rc=0',
    '0.8 vcpu_op/send_nmi rc=0',
    '0.9 xen_version/version rc=262161 seen=3',
    '0.10 vcpu_op/down silent',
    '0.11 vcpu_op/is_up rc=0',
    '0.12 vcpu_op/up rc=0',
    '0.13 vcpu_op/is_up rc=1 seen=0',
    '',
  ];
  for (const seed of [1, 2, 3]) expect(transcript(TOUR, seed).split('\n')).toEqual(lines);
});

test('what generated programs with two vCPUs show does not depend on the schedule, and of ten seeds one has them', {
  timeout: 60_000,
}, () => {
  const seeds = Array.from({ length: 400 }, (_, seed) => seed).filter((seed) => optionsOfSeed(seed).vcpus === 2);
  expect(seeds.length).toBeGreaterThan(30);
  for (const seed of seeds.slice(0, 8)) {
    const program = generateProgram(seed, { kind: 'directed' });
    expect(program.vcpus).toBe(2);
    expect(transcript(program, seed + 1000)).toBe(transcript(program, seed));
  }
});
