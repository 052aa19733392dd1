import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outOfDate } from './bootstrap.mjs';
import { ROOT } from './sources.ts';

const packages = (entries: Record<string, object>) => JSON.stringify({ packages: { '': {}, ...entries } });
const lock = packages({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/a-other-platform': { version: '1.0.0', optional: true } });

describe('what is installed', () => {
  it('is up to date with or without packages for other platforms', () => {
    expect(outOfDate(lock, packages({ 'node_modules/a': { version: '1.0.0' } }))).toBeUndefined();
    expect(outOfDate(lock, lock)).toBeUndefined();
  });

  it.each([
    [undefined, 'node_modules is missing'],
    [packages({}), 'node_modules/a is missing'],
    [packages({ 'node_modules/a': { version: '0.9.0' } }), 'node_modules/a is 0.9.0, not 1.0.0'],
    [packages({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } }), 'node_modules/b is no longer wanted'],
  ])('%s is out of date', (installed, reason) => {
    expect(outOfDate(lock, installed)).toBe(reason);
  });
});

describe('a program run by the bootstrap', () => {
  const directory = mkdtempSync(join(tmpdir(), 'xenspec-bootstrap-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const program = join(directory, 'program.ts');
  const start = (text: string, ...args: string[]) => {
    writeFileSync(program, text);
    return spawnSync(process.execPath, [join(ROOT, 'oracle/hygiene/bootstrap.mjs'), relative(ROOT, program), ...args], {
      encoding: 'utf8',
    });
  };

  it('runs as TypeScript under Node 24, with its arguments, and gives its exit code', () => {
    const { status, stdout, stderr } = start(
      'console.log(process.version as string, process.argv.slice(2)); process.exitCode = 3;',
      'x',
      '--y',
    );
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
    expect(stdout).toMatch(/^v24\.\S+ \[ 'x', '--y' \]\n$/);
  });

  it('tells of the signal that ended it', () => {
    expect(start("process.kill(process.pid, 'SIGKILL'); setTimeout(() => {}, 1000);").status).toBe(128 + 9);
  });
});
