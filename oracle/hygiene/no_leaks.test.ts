import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leaks, lockfileProblems } from './no_leaks.ts';
import { ROOT, sources } from './sources.ts';

// Planted texts are put together here, so that this file does not hold what it plants.
const planted = (...parts: string[]) => leaks([{ path: 'model/a.ts', text: `const fine = 1;\n${parts.join('')}\n` }]);

it('the repository tells of no machine and leaves nothing open', () => {
  expect(leaks(sources())).toEqual([]);
});

it.each([
  [['read("/ho', 'me/ann/xen")']],
  [['in /tm', 'p/scratch']],
  [['// TO', 'DO later']],
  [['// FIX', 'ME']],
  [['it.sk', 'ip("x", f)']],
  [['describe.on', 'ly("x", f)']],
  [['it.sk', 'ipIf(bare)("x", f)']],
])('a planted leak is found: %j', (parts) => {
  expect(planted(...parts)).toHaveLength(1);
});

it('what only looks like a leak passes', () => {
  expect(planted('see docs/work/flow, https://example.org/tm', 'p/x, `${root}/home/x`, hackney, iterator.skip(1)')).toEqual([]);
  expect(leaks([{ path: 'oracle/peers/xen/boot.test.ts', text: `it.sk${'ipIf'}(absent)('boots')` }])).toEqual([]);
});

it('the lockfile names no host, and everything that npm ci needs', () => {
  expect(lockfileProblems(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))).toEqual([]);
});

it('a planted host, gap or missing checksum in the lockfile is found', () => {
  const lock = (entry: object) =>
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x', ...entry } } });
  expect(lockfileProblems(lock({}))).toEqual([]);
  expect(lockfileProblems(lock({ resolved: 'https://mirror.example/a.tgz' }))).toHaveLength(1);
  expect(lockfileProblems(lock({ integrity: undefined }))).toHaveLength(1);
  expect(lockfileProblems(lock({ version: undefined }))).toHaveLength(1);
  expect(lockfileProblems(lock({ optionalDependencies: { 'a-other-platform': '1.0.0' } }))).toHaveLength(1);
});
