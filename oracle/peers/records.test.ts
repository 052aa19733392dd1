import { expect, it } from 'vitest';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { parseTrace, printTrace } from '#traces/text.ts';
import { recordsOf, traceOf } from './records.ts';

const line = (bytes: string) => ({ record: 'event', event: { kind: 'console', domid: 0, bytes } });

it('is the console line by line, then the end', () => {
  expect(recordsOf('a\nb', { kind: 'shutdown', reason: 1 })).toEqual([
    line('a\n'),
    line('b'),
    { record: 'end', finish: 'halted', reason: 1, retired: null },
  ]);
  expect(recordsOf('', { kind: 'shutdown', reason: 0 })).toHaveLength(1);
});

it.each([
  [{ kind: 'timeout', seconds: 60 } as const, 'no end within 60 s'],
  [{ kind: 'stopped', why: 'gone' } as const, 'gone'],
  [{ kind: 'refused', why: 'no kernel' } as const, 'no kernel'],
])('marks what was not seen, with the line that it cut: %o', (ended, reason) => {
  expect(recordsOf('a\nb', ended)).toEqual([
    line('a\n'),
    { record: 'lost', count: null, reason },
    { record: 'end', finish: 'timeout', reason: null, retired: null },
  ]);
});

it('makes a valid trace', () => {
  const ended = { kind: 'shutdown', reason: 0 } as const;
  const trace = traceOf(
    { name: 'xen', version: '4.17.7', details: { qemu: '7.2' } },
    new Uint8Array([1, 2, 3]),
    { machine: debian_4_17(), ended, console: 'x\n', remarks: [], seconds: 1, records: recordsOf('x\n', ended) },
    { title: 'a test', program: null, seed: 7, clauses: [] },
  );
  expect(parseTrace(printTrace(trace), 'test')).toEqual(trace);
});
