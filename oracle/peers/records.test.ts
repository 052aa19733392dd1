import { expect, it } from 'vitest';
import { recordsOf } from './records.ts';

const line = (bytes: string) => ({ record: 'event', event: { kind: 'console', domid: 0, bytes } });

it('is the console line by line, then the end', () => {
  expect(recordsOf(['a\nb'], { kind: 'shutdown', reason: 1 })).toEqual([
    line('a\n'),
    line('b'),
    { record: 'end', finish: 'halted', reason: 1, retired: null },
  ]);
  expect(recordsOf([''], { kind: 'shutdown', reason: 0 })).toHaveLength(1);
});

it.each([
  [{ kind: 'timeout', seconds: 60 } as const, 'no end within 60 s'],
  [{ kind: 'stopped', why: 'gone' } as const, 'gone'],
  [{ kind: 'refused', why: 'no kernel' } as const, 'no kernel'],
])('marks what was not seen, with the line that it cut: %o', (ended, reason) => {
  expect(recordsOf(['a\nb'], ended)).toEqual([
    line('a\n'),
    { record: 'lost', count: null, reason },
    { record: 'end', finish: 'timeout', reason: null, retired: null },
  ]);
});

it('tells domains apart, and marks a console that was not shown', () => {
  const end = { record: 'end', finish: 'halted', reason: 0, retired: null };
  expect(recordsOf(['a\n', 'b\n'], { kind: 'shutdown', reason: 0 })).toEqual([
    line('a\n'),
    { record: 'event', event: { kind: 'console', domid: 1, bytes: 'b\n' } },
    end,
  ]);
  expect(recordsOf(['a\n', null], { kind: 'shutdown', reason: 0 })).toEqual([
    line('a\n'),
    { record: 'lost', count: null, reason: "domain 1's console was not shown" },
    end,
  ]);
});
