import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readTrace, writeTrace } from '#traces/file.ts';
import type { Trace, TraceRecord } from '#traces/format.ts';
import { recordedPath } from '../../campaign/conformance.ts';
import { EXIT } from '../exit_code.ts';
import { here } from '../testing/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenspec-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const real = recordedPath('evtchn-close');
const recorded = await readTrace(real);

/** The recording with its records changed, in a file. */
const bent = (
  name: string,
  change: (records: readonly TraceRecord[]) => readonly TraceRecord[],
  header: Partial<Trace['header']> = {},
): string => {
  const path = join(folder, name);
  writeTrace(path, { header: { ...recorded.header, ...header }, records: change(recorded.records) });
  return path;
};

/** Line `number` of the console, from 1, as another one. */
const line = (number: number, text: string) => (records: readonly TraceRecord[]) =>
  records.map(
    (r, i): TraceRecord => (i === number - 1 ? { record: 'event', event: { kind: 'console', domid: 0, bytes: `${text}\n` } } : r),
  );

const closing =
  recorded.records.findIndex((r) => r.record === 'event' && r.event.kind === 'console' && r.event.bytes.includes('close rc=0')) + 1;
const wrong = bent('wrong.trace.gz', line(closing, '0.1 nothing of the kind'));
const lossy = bent('lossy.trace.gz', (records) => [
  ...records.slice(0, 2),
  { record: 'lost', count: null, reason: 'the disk was full' },
  records.at(-1)!,
]);

describe('replay', () => {
  test('accepts what real Xen did, on both machines', async () => {
    const { code, stdout } = await here('replay', real);
    expect(code).toBe(EXIT.ok);
    expect(stdout.match(/ accepted /g)).toHaveLength(2);
    expect(stdout).toContain('xen 4.17');
  });

  test('rejects another line, and says which, what was expected, what was seen, and which clause decided', async () => {
    const { code, stdout } = await here('replay', wrong, '--on', 'model');
    expect(code).toBe(EXIT.divergence);
    expect(stdout).toContain(
      `rejected on model: ${wrong}\n  domain 0 line ${closing} differs\n  expected: 0.1 nothing of the kind\n  seen:     `,
    );
    expect(stdout).toMatch(/\n {2}clauses: {2}evtchn\/close-\w+/);
  });

  test('proves nothing by what was lost', async () => {
    const { code, stdout } = await here('replay', lossy, '--json');
    expect(code).toBe(EXIT.inconclusive);
    const why = 'records lost: the disk was full';
    expect(JSON.parse(stdout)).toMatchObject({ results: [{ verdict: { verdict: 'inconclusive', why } }, { engine: 'executor' }] });
  });

  test('is given up at the limit', async () => {
    const { code } = await here('replay', real, '--on', 'executor', '--limit', '100');
    expect(code).toBe(EXIT.divergence);
  });

  test.each([
    ['an image', 'run.elf', '\u007fELF'],
    ['nothing', 'empty', ''],
  ])('refuses %s', async (_, name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    const { code, stdout, stderr } = await here('replay', path);
    expect([code, stdout]).toEqual([EXIT.badInput, '']);
    expect(stderr).toMatch(/^xenspec: [^\n]+\n$/);
  });

  test('refuses a bug that nobody knows, and those of the judge', async () => {
    for (const id of ['no-such', 'judge-events']) {
      const { code, stderr } = await here('replay', real, '--mutant', id);
      expect([code, stderr.startsWith(`xenspec: mutant ${id}: there are executor-close, model-adc`)]).toEqual([EXIT.badInput, true]);
    }
  });
});

describe('diff', () => {
  test('finds nothing between a trace and itself', async () => {
    expect(await here('diff', real, real)).toEqual({ code: EXIT.ok, stdout: 'no difference in what both could see\n', stderr: '' });
  });

  test('names the first place where two traces part, and whom the model agrees with', async () => {
    const { code, stdout } = await here('diff', real, wrong);
    expect(code).toBe(EXIT.divergence);
    expect(stdout).toMatch(new RegExp(`^domain 0 line ${closing} differs\n  .*close rc=0.*\n  .*: 0\\.1 nothing of the kind\n`));
    expect(stdout).toContain(`accepted on model: ${real}\nrejected on model: ${wrong}\n`);
  });

  test('says when the traces are of different runs', async () => {
    const { code, stdout } = await here('diff', real, recordedPath('evtchn-send'));
    expect([code, stdout]).toEqual([EXIT.divergence, expect.stringContaining('image 1 differs: the traces are of different runs\n')]);
  });

  test('concludes nothing past a loss', async () => {
    const { code, stdout } = await here('diff', real, lossy, '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([EXIT.inconclusive, { same: true, lost: 'the disk was full' }]);
  });

  test('compares the ends', async () => {
    const crashed = bent('crashed.trace.gz', (records) => [
      ...records.slice(0, -1),
      { record: 'end', finish: 'halted', reason: 3, retired: null },
    ]);
    const { code, stdout } = await here('diff', real, crashed, '--no-model');
    expect([code, stdout]).toEqual([EXIT.divergence, `end differs\n  ${real}: halted 0\n  ${crashed}: halted 3\n`]);
  });
});
