import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { EXAMPLES } from '../examples.ts';
import { buildBatch, buildImages, domainsOf } from './program.ts';

const examples = Object.entries(EXAMPLES) as [string, Program][];

test.each(examples)('%s is a program, and its image is small and always the same', (_, program) => {
  expect(Program.parse(program)).toEqual(program);
  const images = buildImages(program);
  expect(images.length).toBe(domainsOf(program));
  expect(buildImages(structuredClone(program))).toEqual(images);
  for (const image of images) expect(image.length).toBeLessThan(40_000);
});

test('a batch holds every program once, and no more than that', () => {
  const programs = examples.map(([, p]) => p).filter((p) => domainsOf(p) === 1);
  const batch = Buffer.from(buildBatch(programs)).toString('latin1');
  for (const [number, program] of programs.entries()) for (const step of program.steps) expect(batch).toContain(`${number}.${step.id} `);
  expect(buildBatch(programs)).toEqual(buildBatch(programs));
});

test('a program of any length finds room', () => {
  const step = (id: number) => ({
    id,
    do: 'hypercall' as const,
    call: 'xen_version' as const,
    args: [3, { struct: 'version.capabilities' as const, fields: {} }],
  });
  const long: Program = { steps: Array.from({ length: 400 }, (_, id) => step(id)) };
  expect(buildImages(long)[0].length).toBeGreaterThan(400_000);
});

test('a result whose step is gone is the literal that stands in for it', () => {
  const close = (port: unknown) =>
    Program.parse({
      steps: [{ id: 2, do: 'hypercall', call: 'event_channel_op', args: [3, { struct: 'evtchn.close', fields: { port } }] }],
    });
  expect(buildImages(close({ step: 1, of: 'port', else: 7 }))).toEqual(buildImages(close(7)));
  expect(buildImages(close({ step: 1 }))).toEqual(buildImages(close(0)));
});

test('an image takes two milliseconds at most', () => {
  const [, program] = examples[3];
  for (let i = 0; i < 50; i++) buildImages(program);
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now();
    buildImages(program);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  expect(times[0]).toBeLessThan(2);
});
