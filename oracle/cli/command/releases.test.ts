import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { XEN_RELEASES } from '#spec/releases/release.ts';
import { readTrace } from '#traces/file.ts';
import { recordedFolder, recordedPath } from '../../campaign/conformance.ts';
import { buildImages } from '../../image/index.ts';
import { EXIT } from '../exit_code.ts';
import { here } from '../testing/cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenspec-release-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(XEN_RELEASES)('run --xen %s answers as that release', async (release) => {
  const image = join(folder, 'version.elf');
  writeFileSync(image, buildImages({ steps: [{ id: 1, do: 'hypercall', call: 'xen_version', args: [0, 0] }] })[0]!);
  const trace = join(folder, `${release}.trace.gz`);
  expect((await here('run', image, '--xen', release, '--memory', '16', '--trace', trace)).code).toBe(EXIT.ok);
  const { header, records } = await readTrace(trace);
  const written = records.flatMap((r) => (r.record === 'event' && r.event.kind === 'console' ? [r.event.bytes] : [])).join('');
  const minor = Number(release.split('.')[1]);
  expect([header.machine.release, written]).toEqual([release, `0.1 xen_version/version rc=${(4 << 16) | minor}\n`]);
});

test('a recording of one release is not what another does, and replay says so when asked', async () => {
  const trace = recordedPath('release-vcpu', recordedFolder('4.14'));
  expect((await readTrace(trace)).header.machine.release).toBe('4.14');
  expect((await here('replay', trace)).code).toBe(EXIT.ok);
  const { code, stdout } = await here('replay', trace, '--xen', '4.20');
  expect(code).toBe(EXIT.divergence);
  expect(stdout).toContain('expected: 0.1 vcpu_op/register_vcpu_info rc=-22');
});

test.each([
  [['check', '--xen', '4.14', '--seeds', '11..13', '--no-traces'], 'verdict: agreed'],
  [['check', '--xen', '4.20', '--hypercalls', '2000', '--seeds', '5..7'], 'verdict: agreed'],
])('%s: both machines are that release', { timeout: 30_000 }, async (args, says) => {
  const { code, stdout } = await here(...args);
  expect([code, stdout]).toEqual([EXIT.ok, expect.stringContaining(says)]);
});

test('a release that is none is refused', async () => {
  expect((await here('check', '--xen', '4.18')).code).toBe(EXIT.badInput);
});
