import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ADVISORIES, MILESTONE } from '../../mutants/advisories/index.ts';
import { EXIT } from '../exit_code.ts';
import { here } from '../testing/cli.ts';

const [ID, MISSING] = ['278', 'hvm'];

test('an advisory that the machine cannot have says what is missing, and is not hunted', async () => {
  const { code, stdout } = await here('mutants', '--only', ID, '--json', '--seed', '5');
  expect(code).toBe(EXIT.ok);
  const { seed, mutants } = JSON.parse(stdout) as { seed: number; mutants: readonly Record<string, unknown>[] };
  expect(seed).toBe(5);
  expect(mutants).toHaveLength(1);
  expect(mutants[0]).toMatchObject({ id: ID, expressible: false, missing: MISSING, killed: false, by: null, seconds: null, steps: null });
});

test('a hunt is kept and gone on from, with the same seed only', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xenspec-mutants-'));
  try {
    const asked = ['mutants', '--only', '32', '--by', 'comparison', '--no-shrink', '--state', join(folder, 'state.json')];
    const first = await here(...asked, '--seed', '7');
    expect(first.code).toBe(EXIT.ok);
    expect(first.stdout).toContain('1 of 1 (100.0 %)');
    expect((await here(...asked, '--seed', '7')).stdout).toBe(first.stdout);
    expect((await here(...asked, '--seed', '8')).code).toBe(EXIT.badInput);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('groups and numbers that there are not are refused', async () => {
  const { code, stderr } = await here('mutants', '--only', 'milestone,9999');
  expect(code).toBe(EXIT.badInput);
  expect(stderr).toContain('9999');
  expect((await here('mutants', '--by', 'luck')).code).toBe(EXIT.badInput);
  expect(ADVISORIES.length).toBeGreaterThan(MILESTONE.length);
});
