import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { readTrace } from '#traces/file.ts';
import { buildImages, EXAMPLES } from '../../image/index.ts';
import { EXIT } from '../exit_code.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'xenspec-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const xenspec = (args: readonly string[], path = process.env.PATH) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });
  return { status, stdout, stderr };
};

it('records generated programs on an engine', async () => {
  const out = join(folder, 'seeds');
  const { status, stdout } = xenspec(['record', '--peer', 'executor', '--seeds', '1..3', '--batch', '1', '--out', out, '--stats']);
  expect(status).toBe(EXIT.ok);
  expect(stdout).toMatch(/3 of 3 recorded on executor/);
  const files = readdirSync(out).sort();
  expect(files).toEqual(['seed-1.trace.gz', 'seed-2.trace.gz', 'seed-3.trace.gz']);
  expect((await readTrace(join(out, files[0]!))).header).toMatchObject({ seed: 1, producer: { name: 'executor' } });
});

it('records images by name, and says it in JSON', () => {
  const image = join(folder, 'hello.elf');
  writeFileSync(image, buildImages(EXAMPLES.hello)[0]!);
  const { status, stdout } = xenspec(['record', image, '--peer', 'model', '--out', folder, '--json']);
  expect(status).toBe(EXIT.ok);
  expect(JSON.parse(stdout).results).toMatchObject([{ name: 'hello', reason: 0, why: null }]);
  expect(readdirSync(folder)).toContain('hello.trace.gz');
  const twice = xenspec(['record', image, image, '--peer', 'model', '--out', folder]);
  expect(twice).toMatchObject({ status: EXIT.badInput, stdout: '' });
});

it.each([
  [['record'], 'one of images, --seeds, --conformance, --pv32 and --isa is needed'],
  [['record', 'x.elf', '--conformance', '--peer', 'model'], 'one of images'],
  [['record', '--seeds', '3..1'], 'seeds are A..B'],
  [['record', '--seeds', '1..2', '--batch', '0'], 'whole number'],
  [['record', '--peer', 'nobody', '--seeds', '1'], 'Allowed choices'],
  [['record', 'no_such_file.elf', '--peer', 'model', '--out', folder], 'no such file'],
] as const)('%j is refused in one line', (args, why) => {
  const { status, stdout, stderr } = xenspec(args);
  expect(status).toBe(EXIT.badInput);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^xenspec: [^\n]*\n$/);
  expect(stderr).toContain(why);
});

it('a machine without the packages is told what to install', () => {
  const { status, stderr } = xenspec(['record', '--seeds', '1', '--out', folder], '');
  expect(status).toBe(EXIT.unavailable);
  expect(stderr).toMatch(/^xenspec: peer xen: not installed: .*apt-get install.*\n$/);
  const { status: listed, stdout } = xenspec(['peers', '--json'], '');
  expect(listed).toBe(EXIT.ok);
  expect(JSON.parse(stdout).peers).toMatchObject(
    ['xen', 'xen', 'xen', 'silicon', 'objdump', 'qemu', 'bochs'].map((name) => ({ name, available: false })),
  );
});
