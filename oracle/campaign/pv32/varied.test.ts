import { expect, test } from 'vitest';
import { loadEngine } from '../engines.ts';
import { runEngine } from '../run.ts';
import { readPv32Scripts } from './scripts.ts';
import { subjectOfVaried, variedPv32 } from './varied.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const scripts = readPv32Scripts().map(({ script }) => script);
const hex = (code: Iterable<number>): string => Buffer.from([...code]).toString('hex');

test('a variation is the same for its seed; some are scripts as they were, others have steps of their own', () => {
  let [unchanged, drawn] = [0, 0];
  for (const seed of SEEDS) {
    const { script, program } = variedPv32(seed)!;
    expect(variedPv32(seed)).toEqual({ script, program });
    expect(scripts).toContainEqual(script);
    const same = program.steps.length === script.steps.length && program.steps.every(({ code }, i) => hex(code) === script.steps[i]!.code);
    if (same) unchanged++;
    if (program.steps.some(({ family }) => !family.startsWith('script: '))) drawn++;
  }
  expect(unchanged).toBeGreaterThan(20);
  expect(drawn).toBeGreaterThan(40);
});

test('null data segments are null from the first instruction on that Xen returns to in an outer ring', async () => {
  // The kernel has its data segments when it leaves for user code of zeroes: add [eax], al.
  const script = scripts.find(({ steps, role }) => role === 'dom0' && steps.some(({ name }) => name === 'iret'));
  expect(script).toBeDefined();
  const steps = [
    { family: 'a page for the user', code: [...Buffer.from('bb00002400b927000401ba00000000be02000000b80e000000cd82', 'hex')] },
    { family: 'iret', code: [...Buffer.from('6833e0000068000824006802320000682be0000068000024006844332211b817000000cd82', 'hex')] },
  ];
  for (const name of ['model', 'executor'] as const) {
    const { config, images } = subjectOfVaried(script!, { seed: 0, firstFrame: 0, xenStart: 0, steps });
    const vectors: number[] = [];
    const boot = await loadEngine(name);
    runEngine(boot(config, images), { limit: 400, onEvent: (event) => event.kind === 'exception' && vectors.push(event.vector) });
    expect(vectors[0]).toBe(13);
  }
});
