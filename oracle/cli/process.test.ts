import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { RECORDED_FOLDER } from '../campaign/conformance.ts';
import { damage } from '../hygiene/hostile.ts';
import { EXIT, EXIT_TEXT } from './exit_code.ts';
import { here, start, startAll } from './testing/cli.ts';
import { IMAGES } from './testing/variants.ts';

const cwd = mkdtempSync(join(tmpdir(), 'xenspec-process-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** Nobody may see these for a damaged file: success counts only where the damage hit nothing that matters. */
const RUN_ENDS: readonly number[] = [EXIT.ok, EXIT.badInput, EXIT.crashed, EXIT.limit, EXIT.notModelled];
const REPLAY_ENDS: readonly number[] = [EXIT.ok, EXIT.divergence, EXIT.badInput, EXIT.inconclusive];

describe('damaged files through the program itself', () => {
  const images = Object.values(IMAGES);
  const traces = readdirSync(RECORDED_FOLDER).filter((file) => file.endsWith('.trace.gz'));
  const commands = Array.from({ length: 50 }, (_, seed): readonly string[] => {
    if (seed % 5 === 4) {
      const name = `${seed}.trace.gz`;
      writeFileSync(join(cwd, name), damage(readFileSync(join(RECORDED_FOLDER, traces[seed % traces.length]!)), seed));
      return ['replay', name, '--limit', '20000'];
    }
    const name = `${seed}.elf`;
    writeFileSync(join(cwd, name), damage(images[seed % images.length]!, seed));
    return ['run', name, '--on', seed % 2 === 0 ? 'executor' : 'model', '--memory', '16', '--limit', '20000'];
  });

  test('50 of them end as the help says, with one line for bad input and never a stack', async () => {
    const ended = await startAll(commands, { cwd });
    const strange = ended.flatMap(({ code, stderr, stdout }, i) => {
      const expected = (commands[i]![0] === 'run' ? RUN_ENDS : REPLAY_ENDS).includes(code!);
      const oneLine = code !== EXIT.badInput || (/^xenspec: [^\n]+\n$/.test(stderr) && stdout.length === 0);
      return expected && oneLine && !/^\s+at /m.test(stderr) ? [] : [`${commands[i]!.join(' ')}: ${code} ${stderr}`];
    });
    expect(strange).toEqual([]);
    expect(new Set(ended.map(({ code }) => code))).toContain(EXIT.badInput);
  });
});

describe('help', () => {
  test('lists every command and every exit code', async () => {
    const { code, stdout } = await here('--help');
    expect(code).toBe(EXIT.ok);
    for (const command of ['run', 'check', 'record', 'replay', 'diff', 'explain', 'peers'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    for (const [number, text] of EXIT_TEXT) expect(stdout.replace(/\s+/g, ' ')).toContain(`${number} ${text}`);
  });

  test.each(['run', 'check', 'record', 'replay', 'diff', 'explain', 'peers'])('of %s has an example and --json', async (command) => {
    for (const words of [
      [command, '--help'],
      ['help', command],
    ]) {
      const { code, stdout } = await here(...words);
      expect(code).toBe(EXIT.ok);
      expect(stdout).toMatch(new RegExp(`\\nExamples?:\\n {2}xenspec ${command}`));
      expect(stdout).toContain('--json');
    }
  });
});

test('a reader that goes away does not disturb a command', async () => {
  const { code, stderr } = await start(['explain', 'page_type'], { closeAfter: 1 });
  expect([code, stderr]).toEqual([EXIT.ok, '']);
});

describe('check', () => {
  test('says what it compared, as JSON', async () => {
    const { code, stdout } = await here('check', '--seeds', '1..4', '--no-traces', '--json');
    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'agreed',
      seeds: { first: 1, last: 4 },
      programs: 4,
      divergences: 0,
      clauses: { covered: expect.any(Number), missing: expect.any(Array) },
      operations: expect.any(Object),
    });
  });

  test('and as tables', async () => {
    const { code, stdout } = await here('check', '--seeds', '5', '--no-traces', '--coverage');
    expect(code).toBe(EXIT.ok);
    for (const row of ['programs generated', 'instructions compared', 'divergences', 'clause coverage', 'throughput'])
      expect(stdout).toContain(row);
    expect(stdout).toMatch(/│ event_channel_op\/close +│ +\d+ │/);
    expect(stdout).toContain('verdict: agreed\n');
  });

  test.each([
    [['--peer', 'nobody'], 'peer nobody: unknown; there are xen'],
    [['--seeds', '7..5'], "option '--seeds <A..B>' argument '7..5' is invalid."],
    [['--mutant', 'nobody'], 'mutant nobody: there are executor-close'],
  ])('%j is bad input', async (args, why) => {
    const { code, stderr } = await here('check', ...args);
    expect([code, stderr.startsWith(`xenspec: ${why}`), stderr.split('\n').length]).toEqual([EXIT.badInput, true, 2]);
  });
});
