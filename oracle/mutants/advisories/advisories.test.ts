import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { mutate } from '../plant.ts';
import { ADVISORIES, ADVISORY_MUTANTS, MISSING, mutantOfAdvisory } from './index.ts';

const sourceOf = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

test.each(ADVISORY_MUTANTS)('$id applies exactly once, and is TypeScript: $summary', (mutant) => {
  const source = sourceOf(mutant.file);
  const broken = mutate(source, mutant);
  expect(broken).not.toBe(source);
  expect(() => stripTypeScriptTypes(broken)).not.toThrow();
});

test('every advisory has a mutant, or says which part of the machine is missing', () => {
  for (const { id, missing } of ADVISORIES) expect(mutantOfAdvisory(id) === undefined, id).toBe(missing !== null);
  expect(ADVISORY_MUTANTS).toHaveLength(ADVISORIES.filter(({ missing }) => missing === null).length);
});

test('each kind of missing part is one that some advisory needs', () => {
  expect(new Set(ADVISORIES.flatMap(({ missing }) => missing ?? []))).toEqual(new Set(Object.keys(MISSING)));
});
