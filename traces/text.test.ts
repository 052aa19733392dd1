import fc from 'fast-check';
import { expect, test } from 'vitest';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import type { Trace } from './format.ts';
import { parseTrace, printTrace } from './text.ts';

const trace: Trace = {
  header: {
    record: 'header',
    format: 'xenspec-trace',
    version: 1,
    producer: { name: 'hand', version: '1', details: {} },
    title: 'two lines',
    visible: ['console', 'end'],
    machine: debian_4_17(),
    images: [{ domid: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', elf: '' }],
    policy: null,
    program: null,
    seed: null,
    clauses: [],
  },
  records: [
    { record: 'event', event: { kind: 'console', domid: 0, bytes: 'hello\n' } },
    { record: 'end', finish: 'halted', reason: 0, retired: null },
  ],
};

test('what is printed reads back the same', () => {
  expect(parseTrace(printTrace(trace), 't')).toEqual(trace);
});

test('a trace without its end was truncated, and says so', () => {
  const text = printTrace({ ...trace, records: trace.records.slice(0, 1) });
  expect(() => parseTrace(text, 't')).toThrow('t: truncated after line 3: no end record');
});

test('nothing may follow the end', () => {
  expect(() => parseTrace(printTrace(trace) + JSON.stringify(trace.records[0]), 't')).toThrow('line 4: a record after the end');
});

test('a wrong field is named with its line', () => {
  expect(() => parseTrace(printTrace(trace).replace('"domid":0,"bytes"', '"domid":"x","bytes"'), 't')).toThrow(
    /^t: line 2: event\.domid: /,
  );
});

test('any damage is refused with one line, or reads as a valid trace', () => {
  const text = printTrace(trace);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      try {
        parseTrace(text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1), 't');
      } catch (error) {
        expect((error as Error).name).toBe('BadInput');
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 2000 },
  );
});
