import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { readTrace, sha256, writeTrace } from './file.ts';
import type { Trace, TraceRecord } from './format.ts';
import { printTrace } from './text.ts';
import { TraceWriter } from './writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenspec-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'a.trace');

const end: TraceRecord = { record: 'end', finish: 'halted', reason: 0, retired: 7 };
const trace: Trace = {
  header: {
    record: 'header',
    format: 'xenspec-trace',
    version: 1,
    producer: { name: 'hand', version: '1', details: {} },
    title: 'two lines',
    visible: ['console', 'end'],
    machine: debian_4_17(),
    images: [{ domid: 0, sha256: sha256(new Uint8Array()), elf: '' }],
    policy: null,
    program: null,
    seed: null,
    clauses: [],
  },
  records: [{ record: 'event', event: { kind: 'console', domid: 0, bytes: 'hello\u00ff\n' } }, end],
};

describe('a trace file', () => {
  test('reads back as it was written, packed or plain', async () => {
    writeTrace(path, trace);
    expect(await readTrace(path)).toEqual(trace);
    writeFileSync(path, printTrace(trace));
    expect(await readTrace(path)).toEqual(trace);
  });

  test('written piece by piece is one gzip file', async () => {
    const records = Array.from(
      { length: 30_000 },
      (_, i): TraceRecord => ({
        record: 'event',
        event: { kind: 'console', domid: 0, bytes: `line ${i} of a long run\n` },
      }),
    );
    const writer = new TraceWriter(path, trace.header);
    for (const record of [...records, end]) writer.write(record);
    writer.close();
    expect(await readTrace(path)).toEqual({ header: trace.header, records: [...records, end] });
  });

  const text = printTrace(trace);
  const lines = text.split('\n');
  test.each([
    ['nothing', '', 'a trace starts with a header'],
    ['no end', lines.slice(0, 2).join('\n'), 'truncated after line 2'],
    ['half a record', text.slice(0, -20), 'line 3: not JSON'],
    ['another format', text.replace('xenspec-trace', 'other-trace'), 'line 1: format'],
    ['a later version', text.replace('"version":1', '"version":2'), 'line 1: version'],
    ['an image of another sum', text.replace('"elf":""', '"elf":"AAAA"'), 'does not have the stated sha256'],
    ['an image for nobody', text.replace('"images":[{"domid":0', '"images":[{"domid":1'), 'not for the domain at its place'],
    ['brackets without end', `${'['.repeat(200_000)}`, 'line 1: '],
    ['a program nested too deep', text.replace('"program":null', `"program":${'['.repeat(50_000)}${']'.repeat(50_000)}`), 'line 1: '],
    ['packed data that was cut', gzipSync(text).subarray(0, 500), 'damaged or truncated gzip data'],
    [
      'packed data with a wrong sum',
      gzipSync(text).map((byte, i, all) => (i < all.length - 8 ? byte : 0)),
      'damaged or truncated gzip data',
    ],
  ])('%s is refused in one line that names it', async (_, content, why) => {
    writeFileSync(path, content);
    const error = await readTrace(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BadInput);
    expect((error as BadInput).message).toContain(why);
    expect((error as BadInput).message.split('\n')).toHaveLength(1);
  });

  test('that unpacks to more than memory should hold is refused', async () => {
    const piece = gzipSync(`${' '.repeat(1 << 20)}\n`);
    writeFileSync(path, Buffer.concat(Array.from({ length: 300 }, () => piece)));
    expect(gunzipSync(piece)).toHaveLength((1 << 20) + 1);
    await expect(readTrace(path)).rejects.toThrow('unpacks to more than');
  });

  test.each([
    [join(folder, 'absent'), 'no such file'],
    [folder, 'a directory'],
  ])('%s is refused', async (where, why) => {
    await expect(readTrace(where)).rejects.toThrow(why);
  });
});
