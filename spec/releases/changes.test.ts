import { expect, test } from 'vitest';
import { CLAUSES } from '../clauses.ts';
import { CHANGES, waysOf } from './changes.ts';
import { REFERENCE_RELEASE, XEN_RELEASES } from './release.ts';

test('every change is one, of a clause that there is, and each of its ways is told', () => {
  for (const { clause, ways, says } of Object.values(CHANGES)) {
    expect(Object.keys(CLAUSES)).toContain(clause);
    expect(new Set(Object.values(ways)).size).toBeGreaterThan(1);
    expect(Object.keys(says).sort()).toEqual([...new Set<string>(Object.values(ways))].sort());
  }
});

test('a machine asks for the ways of its release', () => {
  expect(XEN_RELEASES).toContain(REFERENCE_RELEASE);
  expect(waysOf('4.14')['domctl-version']).toBe('0x12');
  expect(waysOf('4.20')).toBe(waysOf('4.20'));
});
