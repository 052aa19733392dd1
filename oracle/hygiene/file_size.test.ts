import { expect, it } from 'vitest';
import { GENERATED, LIMIT, tooLong } from './file_size.ts';
import { sources } from './sources.ts';

const lines = (count: number) => 'x;\n'.repeat(count);

it('no file is too long', () => {
  expect(tooLong(sources())).toEqual([]);
});

it('a planted long file is found, a generated or a prose one is not', () => {
  expect(tooLong([{ path: 'model/a.ts', text: lines(LIMIT) }])).toEqual([]);
  expect(tooLong([{ path: 'model/a.ts', text: lines(LIMIT + 1) }])).toEqual([`model/a.ts: ${LIMIT + 1} lines, more than ${LIMIT}`]);
  expect(tooLong(['README.md', ...GENERATED].map((path) => ({ path, text: lines(LIMIT + 1) })))).toEqual([]);
});
