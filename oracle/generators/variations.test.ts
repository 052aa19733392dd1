import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { buildImages } from '../image/index.ts';
import { variedProgram } from './variations.ts';

const first: Program = {
  steps: [
    { id: 3, do: 'hypercall', call: 'event_channel_op', args: [4, { struct: 'evtchn.send', fields: { port: 3 } }] },
    {
      id: 4,
      do: 'hypercall',
      call: 'event_channel_op',
      args: [6, { struct: 'evtchn.alloc_unbound', fields: { dom: 0x7ff0, remote_dom: 0 } }],
    },
    { id: 5, do: 'port', port: { step: 4, of: 'port' }, mask: true },
    { id: 6, do: 'end', how: 'shutdown', reason: 0 },
  ],
} as Program;
const second: Program = { steps: [{ id: 3, domain: 1, do: 'hypercall', call: 'xen_version', args: [0, 0] }], vcpus: 2 };
const scripts = [first, second];
const seeds = fc.integer({ min: 0, max: 0x7fffffff });

test('what comes of scripts is a program that compiles, always the same for a seed', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const program = variedProgram(seed, scripts);
      expect(Program.parse(program)).toEqual(program);
      expect(buildImages(program).length).toBeGreaterThan(0);
      expect(variedProgram(seed, scripts)).toEqual(program);
      expect(new Set(program.steps.map(({ id }) => id)).size).toBe(program.steps.length);
    }),
    { numRuns: 300 },
  );
});

const some = Array.from({ length: 300 }, (_, seed) => variedProgram(seed, scripts));
const text = (program: Program): string => JSON.stringify(program.steps.map(({ id: _, ...step }) => step));

test('some are scripts as they were, some joined, most changed; a joined one keeps its vCPUs and what its steps name', () => {
  const plain = new Set(scripts.map(text));
  expect(some.filter((program) => plain.has(text(program))).length).toBeGreaterThan(20);
  const joined = some.filter(({ steps }) => steps.some(({ do: kind }) => kind === 'port') && steps.some(({ domain }) => domain === 1));
  expect(joined.length).toBeGreaterThan(20);
  for (const { vcpus } of joined) expect(vcpus).toBe(2);
  expect(new Set(some.map(text)).size).toBeGreaterThan(150);
  const port = joined
    .flatMap(({ steps }) => steps)
    .find((step) => step.do === 'port' && typeof step.port === 'object' && 'step' in step.port);
  expect(port).toBeDefined();
});
