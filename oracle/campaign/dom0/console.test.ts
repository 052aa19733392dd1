import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compareConsoles, linesOf } from './console.ts';
import { LINUX_EXPLAINED } from './linux.ts';

const RECORDING = readFileSync(new URL('../../../traces/boots/linux-6.1.0-56-dom0.txt', import.meta.url), 'latin1');

it('leaves out times, addresses, the ends of serial lines, and what Xen says', () => {
  expect(linesOf('(XEN) hello\n[    0.000602] mem at 0xffff888000001000\r\n\nplain \n')).toEqual(['mem at #', 'plain']);
});

it('finds what either side says alone, and why', () => {
  const explained = [{ real: /^lost/, ours: /^found/, because: 'of the test' }];
  expect(compareConsoles('a\nlost 1\nb\nc', 'a\nfound 2\nb\nd\nc', explained)).toEqual({
    agreed: 3,
    differences: [
      { side: 'real', line: 'lost 1', because: 'of the test' },
      { side: 'ours', line: 'found 2', because: 'of the test' },
      { side: 'ours', line: 'd', because: null },
    ],
  });
});

it('has a recording that comes to where the kernel looks for a root file system', () => {
  const lines = linesOf(RECORDING);
  expect(lines.length).toBeGreaterThan(200);
  expect(lines.some((line) => line.includes('VFS: Unable to mount root fs'))).toBe(true);
  expect(compareConsoles(RECORDING, RECORDING, []).differences).toEqual([]);
});

it('explains nothing that the recording has not, where the real side is meant', () => {
  const lines = linesOf(RECORDING);
  const idle = LINUX_EXPLAINED.filter(({ real }) => real !== null && !lines.some((line) => real.test(line)));
  expect(idle.map(({ real }) => String(real))).toEqual([]);
});
