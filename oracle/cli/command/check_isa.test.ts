import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { EXIT } from '../exit_code.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

const check = (args: readonly string[], path = process.env.PATH) =>
  spawnSync(process.execPath, [MAIN, 'check', '--isa', ...args], { encoding: 'utf8', env: { ...process.env, PATH: path } });

it('runs so many steps on model and executor, and says with which seed to go on', () => {
  const { status, stdout } = check(['x86', '--steps', '3e3', '--seeds', '7..7', '--json']);
  expect(status).toBe(EXIT.ok);
  expect(JSON.parse(stdout)).toMatchObject({ seeds: { first: 7, last: 7 }, programs: 1, steps: 3000, differences: [] });
  expect(check(['x86', '--steps', '1000']).stdout).toContain('the next is 2');
});

it.each([
  [['silicon'], 'C compiler'],
  [['objdump'], 'binutils'],
])('a machine without %s is told what to install', ([peer], what) => {
  const { status, stdout } = check(['x86', '--peer', peer as string], '');
  expect(status).toBe(EXIT.unavailable);
  expect(stdout).toMatch(/^skipped: [^\n]*apt-get install[^\n]*\n$/);
  expect(stdout).toContain(what);
});

it.each([
  [['arm'], 'only x86'],
  [['x86', '--peer', 'abacus'], 'not abacus'],
  [['x86', '--peer', 'silicon', '--row', 'no such row'], 'no row of the opcode table'],
  [['x86', '--steps', '1e'], 'whole number'],
  [['x86', '--peer', 'objdump', '--cases', '0'], 'whole number'],
])('%j is refused in one line', (args, why) => {
  const { status, stderr } = check(args as string[]);
  expect(status).toBe(EXIT.badInput);
  expect(stderr).toMatch(/^xenspec: [^\n]*\n$/);
  expect(stderr).toContain(why);
});
