import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { EXIT } from '../exit_code.ts';
import { here } from '../testing/cli.ts';
import { releaseRows } from './explain_matrix.ts';

const cwd = mkdtempSync(join(tmpdir(), 'xenspec-matrix-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('explain --matrix', () => {
  test('counts first, then a line for each operation', async () => {
    const { code, stdout } = await here('explain', '--matrix');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/^cells +modelled +refused +refused by Xen +not modelled\nPV64 dom0 +\d+ /);
    const lines = stdout.split('\n');
    for (const row of MATRIX) expect(lines.some((line) => line.startsWith(`${nameOf(row)} `))).toBe(true);
    expect(stdout).toMatch(/\nsched_op\/pin_override +29\/7 +modelled +-EPERM +modelled +-EPERM\n/);
    expect(stdout).toMatch(/\nsched_op\/remote_shutdown +29\/4 +modelled +-EPERM +modelled +-EPERM +domU: after EFAULT, ESRCH\n/);
    expect(stdout).toMatch(/\nxsm_op\/load +27\/1 +-ENOSYS +-ENOSYS +-ENOSYS +-ENOSYS +built without security modules\n/);
  });

  test('of one hypercall, as JSON', async () => {
    const { code, stdout } = await here('explain', '--matrix', '__HYPERVISOR_console_io', '--json');
    expect(code).toBe(EXIT.ok);
    const { counts, rows } = JSON.parse(stdout);
    expect(counts.pv64_domU).toEqual({ modelled: 1, refused: 2, 'refused by Xen': 0, 'not modelled': 0 });
    expect(rows.map(({ sub }: { sub: string }) => sub)).toEqual(['write', 'read', '(any other)']);
    expect(rows[1].cells.pv64_domU).toEqual({ kind: 'refused', errno: 'EPERM', after: [], answered: true, because: null });
  });

  test('as a page', async () => {
    const file = join(cwd, 'matrix.html');
    expect(await here('explain', '--matrix', '--html', file)).toEqual({ code: EXIT.ok, stdout: '', stderr: '' });
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('<td>event_channel_op/send</td><td>32/4</td><td class="modelled">modelled</td>');
    expect(page.match(/<tr>/g)).toHaveLength(MATRIX.length + 6);
  });

  test.each([
    [['--matrix', 'no_such_call'], 'no_such_call: --matrix shows all hypercalls'],
    [['--matrix', '--html', join(cwd, 'no', 'where.html')], 'no such file'],
    [['--html', 'page.html'], '--html and --xen go with --matrix'],
    [[], 'what to explain?'],
  ] as const)('explain %j is one line of complaint', async (args, complaint) => {
    const { code, stdout, stderr } = await here('explain', ...args);
    expect([code, stdout]).toEqual([EXIT.badInput, '']);
    expect(stderr).toContain(complaint);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

test('says what another release does otherwise, of one hypercall or of all', () => {
  expect(releaseRows('4.17', undefined)).toEqual([]);
  expect(releaseRows('4.14', 'dm_op').map(({ change }) => change)).toEqual(['dm_op-no_buffers']);
  expect(releaseRows('4.20', undefined).map(({ change }) => change)).toContain('flush_cache_global-errno');
});
