import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imagesOf, readTrace } from '#traces/file.ts';
import { replay } from '#traces/replay.ts';
import { RECORDED_FOLDER } from './conformance.ts';
import { ENGINES, loadEngine } from './engines.ts';
import { DEFAULT_POLICY, Environment } from './environment.ts';

const traces = readdirSync(RECORDED_FOLDER)
  .filter((file) => file.endsWith('.trace.gz'))
  .sort();
const LIMIT = 50_000_000;

describe.each(ENGINES)('what real Xen did, on the %s', (engine) => {
  it.each(traces)('%s is accepted', async (file) => {
    const boot = await loadEngine(engine);
    const trace = await readTrace(join(RECORDED_FOLDER, file));
    const verdict = replay(boot, trace, imagesOf(trace.header), new Environment(trace.header.policy ?? DEFAULT_POLICY, LIMIT));
    // The whole verdict, so that a failure shows line, expectation and clauses.
    expect(verdict).toMatchObject({ verdict: 'accepted' });
    if (verdict.verdict === 'accepted') expect(verdict.compared).toBeGreaterThan(0);
  });
});

it('the recordings are many, and all of real Xen', async () => {
  const headers = await Promise.all(traces.map(async (file) => (await readTrace(join(RECORDED_FOLDER, file))).header));
  expect(headers.length).toBeGreaterThanOrEqual(40);
  for (const header of headers) {
    expect(header.producer.name).toBe('xen');
    expect(header.machine.release).toBe('4.17');
    expect(header.visible).toEqual(['console', 'end']);
  }
});
