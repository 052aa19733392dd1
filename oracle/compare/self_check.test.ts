import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MUTANTS } from '../mutants/catalogue.ts';

const MAIN = fileURLToPath(new URL('./self_check_main.ts', import.meta.url));
const overlooked = (...mutant: string[]): string[] =>
  JSON.parse(execFileSync(process.execPath, [MAIN, ...mutant], { encoding: 'utf8' })) as string[];

test('the judge overlooks nothing', () => {
  expect(overlooked()).toEqual([]);
});

test.each(MUTANTS.filter((m) => m.part === 'judge'))('a judge that is broken is caught: $id, $summary', ({ id }) => {
  expect(overlooked(id)).not.toEqual([]);
});
