import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../../campaign/engines.ts';
import { Emitter, R } from '../../image/bare/emitter.ts';
import { LOAD } from '../../image/bare/layout.ts';
import { multibootElf } from '../../image/bare/multiboot.ts';
import { EXIT } from '../exit_code.ts';
import { type Bytes, start } from '../testing/cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'xenspec-run-bare-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const image = (emit: (e: Emitter) => Emitter): Uint8Array => multibootElf({ bytes: emit(new Emitter(LOAD)).finish(), entry: LOAD });
/** OUT of a byte to a port below 256. */
const out = (e: Emitter, port: number, value: number): Emitter => e.movImm(R.ax, value).db(0xe6, port);
const serial = (e: Emitter, value: number): Emitter => e.movImm(R.dx, 0x3f8).movImm(R.ax, value).db(0xee);

beforeAll(() => {
  writeFileSync(
    join(cwd, 'hello.elf'),
    image((e) => out(serial(out(e, 0xe9, 0x48), 0x69), 0xf4, 3)),
  );
  writeFileSync(
    join(cwd, 'triple.elf'),
    image((e) => e.db(0x0f, 0x0b)),
  );
  writeFileSync(
    join(cwd, 'halt.elf'),
    image((e) => e.db(0xfa, 0xf4)),
  );
  writeFileSync(
    join(cwd, 'endless.elf'),
    image((e) => e.db(0xeb, 0xfe)),
  );
  writeFileSync(join(cwd, 'text.elf'), 'no image at all');
  writeFileSync(join(cwd, 'cut.elf'), image((e) => e.db(0xf4)).subarray(0, 100));
});

const run = (...args: readonly string[]): Promise<Bytes> => start(['run', '--bare', ...args], { cwd });

describe.concurrent.each(ENGINES)('a bare machine on the %s', (on) => {
  test.each([
    ['hello.elf', 7, 'Hi', /^xenspec: isa-debug-exit 3; \d+ instructions, 0 exceptions, 0 interrupts on /],
    ['triple.elf', EXIT.crashed, '', /^xenspec: shutdown: triple-fault; /],
    ['halt.elf', EXIT.crashed, '', /^xenspec: HLT waits for an interrupt that nobody will raise; /],
  ] as const)('%s ends with %i', async (name, code, stdout, stderr) => {
    const ended = await run(name, '--on', on, '--memory', '16');
    expect([ended.code, ended.stdout.toString()]).toEqual([code, stdout]);
    expect(ended.stderr).toMatch(stderr);
  });

  test('what never ends stops at the limit', async () => {
    const { code, stderr } = await run('endless.elf', '--on', on, '--memory', '16', '--limit', '5000', '--json');
    expect(code).toBe(EXIT.limit);
    expect(JSON.parse(stderr)).toMatchObject({ engine: on, end: 'limit', retired: 5000 });
  });
});

test.concurrent.each([
  [['text.elf'], 'text.elf: bare image: '],
  [['cut.elf'], 'cut.elf: bare image: '],
  [['hello.elf', '--memory', '4096'], 'a bare machine has at most 2048 MiB'],
  [['hello.elf', '--trace', 'x.gz'], '--bare has no hypervisor, so --trace means nothing with it'],
] as const)('%j is one clear line', async (args, line) => {
  const { code, stderr } = await run(...args);
  expect(code).toBe(EXIT.badInput);
  expect(stderr).toContain(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
