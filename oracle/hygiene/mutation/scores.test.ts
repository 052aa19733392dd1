import { expect, test } from 'vitest';
import { filesOf } from './runner.ts';
import { type Fate, scores } from './scores.ts';

const fates = (fileName: string, ...statuses: readonly string[]): readonly Fate[] => statuses.map((status) => ({ fileName, status }));

test('each directory has a score of its own, and all of them together', () => {
  const rows = scores([
    ...fates('spec/a/x.ts', 'Killed', 'Timeout', 'Survived'),
    ...fates('spec/a/y.ts', 'NoCoverage'),
    ...fates('oracle/b.ts', 'Killed', 'Killed', 'Ignored', 'CompileError'),
  ]);
  expect(rows).toEqual([
    { directory: 'oracle', found: 2, survived: 0, ignored: 1, score: 100 },
    { directory: 'spec/a', found: 2, survived: 2, ignored: 0, score: 50 },
    { directory: 'all', found: 4, survived: 2, ignored: 1, score: 400 / 6 },
  ]);
});

test('where nothing ran there is no score', () => {
  expect(scores(fates('spec/a/x.ts', 'Ignored'))).toEqual([
    { directory: 'spec/a', found: 0, survived: 0, ignored: 1, score: null },
    { directory: 'all', found: 0, survived: 0, ignored: 1, score: null },
  ]);
});

test('a mutant is shown to each file once in which some test reaches it', () => {
  expect(filesOf(['a/x.test.ts#group one', 'a/x.test.ts#group #2', 'a/y.test.ts#one'])).toEqual(['a/x.test.ts#', 'a/y.test.ts#']);
});
