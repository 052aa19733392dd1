import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHANGES } from '#spec/releases/changes.ts';
import { REFERENCE_RELEASE, XEN_RELEASES } from '#spec/releases/release.ts';
import { imagesOf, readTrace } from '#traces/file.ts';
import { replay } from '#traces/replay.ts';
import { recordedFolder } from './conformance.ts';
import { ENGINES, loadEngine } from './engines.ts';
import { DEFAULT_POLICY, Environment } from './environment.ts';

const tracesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.trace.gz'))
    .sort();
const traces = tracesIn(recordedFolder(REFERENCE_RELEASE));
const others = XEN_RELEASES.filter((release) => release !== REFERENCE_RELEASE);
const everywhere = [...traces, ...others.flatMap((release) => tracesIn(recordedFolder(release)).map((file) => join(release, file)))];
const LIMIT = 50_000_000;

describe.each(ENGINES)('what real Xen did, on the %s', (engine) => {
  it.each(everywhere)('%s is accepted', async (file) => {
    const boot = await loadEngine(engine);
    const trace = await readTrace(join(recordedFolder(REFERENCE_RELEASE), file));
    const verdict = replay(boot, trace, imagesOf(trace.header), new Environment(trace.header.policy ?? DEFAULT_POLICY, LIMIT));
    // The whole verdict, so that a failure shows line, expectation and clauses.
    expect(verdict).toMatchObject({ verdict: 'accepted' });
    if (verdict.verdict === 'accepted') expect(verdict.compared).toBeGreaterThan(0);
  });
});

it('the recordings are many, and all of real Xen', async () => {
  const headers = await Promise.all(traces.map(async (file) => (await readTrace(join(recordedFolder(REFERENCE_RELEASE), file))).header));
  expect(headers.length).toBeGreaterThanOrEqual(40);
  for (const header of headers) {
    expect(header.producer.name).toBe('xen');
    expect(header.machine.release).toBe('4.17');
    expect(header.visible).toEqual(['console', 'end']);
  }
});

it.each(others)('what %s does otherwise was recorded on it', async (release) => {
  const scripts = new Set(Object.values(CHANGES).map(({ shown }) => shown.script));
  expect(tracesIn(recordedFolder(release))).toEqual([...scripts].sort().map((name) => `${name}.trace.gz`));
  for (const name of scripts) {
    const { header } = await readTrace(join(recordedFolder(release), `${name}.trace.gz`));
    expect(header.producer).toMatchObject({
      name: 'xen',
      version: expect.stringMatching(new RegExp(`^${release.replace('.', '\\.')}\\.`)),
    });
    expect(header.machine.release).toBe(release);
  }
});
