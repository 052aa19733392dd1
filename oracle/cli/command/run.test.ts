import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTrace } from '#traces/file.ts';
import { ENGINES } from '../../campaign/engines.ts';
import { EXIT } from '../exit_code.ts';
import { type Bytes, start } from '../testing/cli.ts';
import { type GuestName, guest, twoGuests } from '../testing/guests.ts';

const cwd = mkdtempSync(join(tmpdir(), 'xenspec-run-'));
const GUESTS: readonly GuestName[] = ['hello', 'binary', 'crash', 'reboot', 'idle', 'not_modelled', 'endless'];

beforeAll(() => {
  for (const name of GUESTS) writeFileSync(join(cwd, `${name}.elf`), guest(name));
  for (const [i, image] of twoGuests().entries()) writeFileSync(join(cwd, `two${i}.elf`), image);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: readonly string[]): Promise<Bytes> => start(['run', ...args], { cwd });
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)!;

describe.concurrent.each(ENGINES)('on the %s', (on) => {
  test('standard output is the console, byte for byte, and nothing else', async () => {
    const { code, stdout, stderr } = await run('binary.elf', '--on', on);
    expect(code).toBe(EXIT.ok);
    expect([...stdout.subarray(0, 256)]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
    expect(stdout.subarray(256).toString()).toBe('0.1 console_io/write rc=0\n');
    expect(stderr).toMatch(/^xenspec: dom0 shut down: poweroff; [\d,]+ instructions, \d+ hypercalls, 0 exceptions, 0 callbacks on \w+\n$/);
  });

  test('what was written before something not modelled is written', async () => {
    const { code, stdout, stderr } = await run('not_modelled.elf', '--on', on, '--trace', `${on}.trace.gz`);
    expect([code, stdout.toString()]).toEqual([EXIT.notModelled, 'before\n0.1 console_io/write rc=0\n']);
    expect(stderr).toMatch(/^xenspec: not modelled: xenoprof_op; /);
    expect((await readTrace(join(cwd, `${on}.trace.gz`))).records.at(-1)).toMatchObject({ record: 'end', finish: 'not_modelled' });
  });
});

test.concurrent.each([
  [
    'crash',
    EXIT.crashed,
    'before\n0.1 console_io/write rc=0\n0.2 end/unhandled\n',
    /^xenspec: d0 crashed: bounce-no-handler\nxenspec: decided by the clauses .*trap\/frame-no_handler.*\nxenspec: dom0 shut down: crash; /,
  ],
  ['reboot', EXIT.crashed, '0.1 end/shutdown reason=1\n', /^xenspec: dom0 shut down: reboot; /],
  ['idle', EXIT.crashed, '', /^xenspec: every vCPU waits for something that cannot come; /],
] as const)('%s ends with %i', async (name, code, console, stderr) => {
  const ended = await run(`${name}.elf`);
  expect([ended.code, ended.stdout.toString()]).toEqual([code, console]);
  expect(ended.stderr).toMatch(stderr);
});

test.concurrent('a guest without end stops at the limit, and its trace replays to there', async () => {
  const { code, stdout, stderr } = await run('endless.elf', '--limit', '2000', '--trace', 'endless.trace.gz');
  expect(code).toBe(EXIT.limit);
  expect(stdout.length).toBeGreaterThan(1000);
  expect(stderr).toMatch(/^xenspec: stopped at the limit; 2,000 instructions/);
  const replayed = await start(['replay', 'endless.trace.gz'], { cwd });
  expect(replayed.code).toBe(EXIT.ok);
});

test.concurrent('when nobody reads its console any more, the run ends, and that is no failure', async () => {
  const { code, stderr } = await start(['run', 'endless.elf'], { cwd, closeAfter: 100 });
  expect([code, stderr]).toEqual([EXIT.ok, '']);
});

test.concurrent('a lenient run goes on, and counts', async () => {
  const { code, stdout, stderr } = await run('not_modelled.elf', '--lenient', '--json');
  expect([code, stdout.toString()]).toEqual([EXIT.ok, 'before\n0.1 console_io/write rc=0\n0.2 xenoprof_op rc=-38\n']);
  expect(JSON.parse(lastLine(stderr))).toMatchObject({ finish: 'halted', halted: 0, not_modelled: { xenoprof_op: 1 } });
});

describe.concurrent('further domains', () => {
  test('write to standard error, with a prefix', async () => {
    const { code, stdout, stderr } = await run('two0.elf', '--domU', 'two1.elf');
    expect(code).toBe(EXIT.ok);
    expect(stdout.toString()).toContain('0.2 event_channel_op/bind_interdomain rc=0');
    expect(stdout.toString()).not.toContain('(d1)');
    expect(stderr).toContain('(d1) 0.1 event_channel_op/alloc_unbound rc=0');
    expect(stderr).toContain('xenspec: d1 crashed: guest-request');
  });

  test('or to files', async () => {
    const { code, stderr } = await run('two0.elf', '--domU', 'two1.elf', '--consoles', 'logs');
    expect(code).toBe(EXIT.ok);
    expect(stderr).not.toContain('(d1)');
    expect(readFileSync(join(cwd, 'logs/d1.console'), 'utf8')).toMatch(/^0\.1 event_channel_op\/alloc_unbound rc=0/);
  });
});

test.concurrent('the trace holds the run, and is accepted by both machines', async () => {
  const { code } = await run('hello.elf', '--cmdline', 'a b', '--memory', '64', '--trace', 'hello.trace.gz');
  expect(code).toBe(EXIT.ok);
  const { header } = await readTrace(join(cwd, 'hello.trace.gz'));
  expect(header.machine.domains).toEqual([{ domid: 0, pages: 64 * 256, vcpus: 1, cmdline: 'a b' }]);
  expect((await start(['replay', 'hello.trace.gz'], { cwd })).code).toBe(EXIT.ok);
});

test.concurrent.each([
  [['absent.elf'], 'absent.elf: no such file'],
  [['hello.elf', '--domU', 'absent.elf'], 'absent.elf: no such file'],
  [['.'], '.: is a directory'],
  [['hello.elf', '--trace', 'absent/x.gz'], 'absent/x.gz: no such file'],
  [['hello.elf', '--machine', 'hello.elf'], 'hello.elf: not JSON'],
  [['hello.elf', '--on', 'silicon'], "option '--on <engine>' argument 'silicon' is invalid. Allowed choices are model, executor."],
  [['hello.elf', '--memory', '4096'], 'hello.elf: the executor holds at most'],
])('%j is bad input, in one line', async (args, why) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout.toString()]).toEqual([EXIT.badInput, '']);
  expect(stderr.startsWith(`xenspec: ${why}`)).toBe(true);
  expect(stderr.split('\n')).toHaveLength(2);
  expect(existsSync(join(cwd, 'absent'))).toBe(false);
});
