/** `check --worlds`: what it counts, and what it keeps of a leak. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../exit_code.ts';
import { here } from '../testing/cli.ts';

type Engines = readonly { readonly engine: string; readonly runs: number; readonly hypercalls: number; readonly leak: unknown }[];

test('pairs of worlds on the executor and a share of them on the model, from seeds that are told', { timeout: 60_000 }, async () => {
  const { code, stdout } = await here('check', '--worlds', '4', '--seeds', '5..8', '--json');
  const told = JSON.parse(stdout) as { verdict: string; first: number; engines: Engines };
  expect(told).toMatchObject({ verdict: 'nothing seen that may not be seen', first: 5 });
  expect(told.engines.map(({ engine, runs, leak }) => [engine, runs, leak])).toEqual([
    ['model', 1, null],
    ['executor', 4, null],
  ]);
  for (const { hypercalls } of told.engines) expect(hypercalls).toBeGreaterThan(50);
  expect(code).toBe(EXIT.ok);
});

test('a leak is made small, told and kept with both worlds', { timeout: 60_000 }, async () => {
  const out = mkdtempSync(join(tmpdir(), 'xenspec-worlds-'));
  try {
    const asked = ['--worlds', '1', '--seeds', '9', '--on', 'executor', '--mutant', 'leak-grant-user', '--out', out];
    const { code, stdout } = await here('check', ...asked);
    expect(code).toBe(EXIT.divergence);
    expect(stdout).toContain('seed 9 on the executor: ');
    expect(stdout).toContain('verdict: leaks');
    const folder = join(out, 'worlds-9-executor');
    const leak = JSON.parse(readFileSync(join(folder, 'leak.json'), 'utf8')) as { seed: number; steps: number };
    expect(leak.seed).toBe(9);
    expect(leak.steps).toBeLessThanOrEqual(12);
    for (const name of ['inputs.json', 'world-0/machine.json', 'world-0/d0.elf', 'world-1/machine.json', 'world-1/d0.elf'])
      expect(existsSync(join(folder, name)), name).toBe(true);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test.each([
  [['--worlds', '0'], '--worlds'],
  [['--worlds', 'many'], '--worlds'],
  [['--worlds', '3', '--seeds', '1..2'], '--seeds: there are fewer than the 3 pairs of --worlds'],
  [['--worlds', '3', '--peer', 'xen'], '--peer means nothing with `check --worlds`'],
  [['--worlds', '3', '--mutant', 'nobody'], 'mutant nobody: there are leak-scrub'],
])('%j is refused in one line', async (asked, line) => {
  const { code, stdout, stderr } = await here('check', ...asked);
  expect(code).toBe(EXIT.badInput);
  expect(stdout).toBe('');
  expect(stderr).toContain(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
