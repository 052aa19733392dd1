import { expect, test } from 'vitest';
import { Program } from '#spec/program.ts';
import { buildImages, domainsOf } from '../../image/index.ts';
import { denseProgram, THEMES } from './index.ts';

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

test('dense programs are programs, the same from each seed, and an image comes of each', () => {
  for (const seed of seeds) {
    const program = denseProgram(seed);
    expect(Program.safeParse(program).error).toBeUndefined();
    expect(denseProgram(seed)).toEqual(program);
    expect(buildImages(program).length).toBe(domainsOf(program));
  }
});

test('they make thousands of calls, and in every fourth it is not domain 0 that makes them', () => {
  for (const seed of seeds) {
    const { steps } = denseProgram(seed);
    const draws = steps.reduce((sum, step) => sum + (step.do === 'calls' ? (step.draws ?? 0) : 0), 0);
    expect(draws).toBeGreaterThan(900);
    expect(steps.every((step) => (step.domain ?? 0) === (seed % 4 === 3 ? 1 : 0))).toBe(true);
  }
});

test('themes have names of their own', () => {
  expect(new Set(THEMES.map(({ name }) => name)).size).toBe(THEMES.length);
});

test('what domain 0 does to the machine stands in no program for a machine that others use', () => {
  const made = (portable: boolean) =>
    seeds.some((seed) => JSON.stringify(denseProgram(seed, { portable, alone: 'pv64_dom0' })).includes('platform.enter_acpi_sleep'));
  expect([made(false), made(true)]).toEqual([true, false]);
});
