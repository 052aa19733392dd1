import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHANGES } from '#spec/releases/changes.ts';
import { REFERENCE_RELEASE, XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { readTrace } from '#traces/file.ts';
import { type ClauseScripts, carryOut, citedBeyondRecordings, recordings, STOPPED, scriptsByClause } from './clause_scripts.ts';
import { WITHOUT_SCRIPT } from './clauses_without_script.ts';
import { recordedFolder } from './conformance.ts';
import { ENGINES, loadEngine } from './engines.ts';
import { carryOutPv32, readPv32Scripts } from './pv32/scripts.ts';
import { readX86Scripts } from './x86_scripts/scripts.ts';

const everywhere = recordings();
const traces = everywhere.filter((file) => !file.includes('/'));
const tracesOf = (release: XenRelease): readonly string[] =>
  everywhere.filter((file) => file.startsWith(`${release}/`)).map((file) => file.slice(release.length + 1));
const others = XEN_RELEASES.filter((release) => release !== REFERENCE_RELEASE);
/** What the model cited, recording by recording. */
const cited = new Map<string, readonly string[]>();

describe.each(ENGINES)('what real Xen did, on the %s', (engine) => {
  it.each(everywhere)('%s is accepted', async (file) => {
    const verdict = await carryOut(engine, file);
    // The whole verdict, so that a failure shows line, expectation and clauses.
    expect(verdict).toMatchObject({ verdict: 'accepted' });
    if (verdict.verdict !== 'accepted') return;
    expect(verdict.compared).toBeGreaterThan(0);
    if (engine === 'model') cited.set(file, verdict.clauses);
  });
});

const beyond = await citedBeyondRecordings();

describe('what is carried out otherwise than real Xen was recorded', () => {
  it('every such script went as it should on the model', () =>
    expect(beyond.size).toBe(STOPPED.length + readPv32Scripts().length + readX86Scripts().length));

  it.each(STOPPED)('%s, stopped at every question, is accepted by the executor', async (file) =>
    expect(await carryOut('executor', file, true)).toMatchObject({ verdict: 'accepted' }),
  );

  it.each(readPv32Scripts())('$name goes on the executor as expected', async ({ script }) => {
    const { finish, events } = carryOutPv32(await loadEngine('executor'), script);
    expect({ finish, events }).toEqual(script.expected);
  });

  it.each(readPv32Scripts())('$name says which clauses it exercises', ({ name, script }) => {
    const family = (beyond.get(name) ?? []).filter((clause) => clause.startsWith('compat/')).sort();
    expect(family).toEqual(script.clauses);
  });
});

describe('clauses and scripts', () => {
  let table: readonly ClauseScripts[] = [];
  beforeAll(async () => {
    for (const file of everywhere.filter((one) => !cited.has(one))) {
      const verdict = await carryOut('model', file);
      if (verdict.verdict === 'accepted') cited.set(file, verdict.clauses);
    }
    for (const [name, clauses] of beyond) cited.set(name, clauses);
    table = scriptsByClause(cited);
  }, 60_000);

  it('every clause has a script, or a reason why it has none', () => {
    expect(table.flatMap(({ clause, scripts, why }) => (scripts.length === 0 && why === null ? [clause] : []))).toEqual([]);
  });

  it('what is excused by name has none, and is excused once', () => {
    const named = WITHOUT_SCRIPT.flatMap(({ clauses }) => clauses);
    expect(table.flatMap(({ clause, scripts }) => (scripts.length > 0 && named.includes(clause) ? [clause] : []))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });

  it('the tests that stand for scripts are there', () => {
    const named = WITHOUT_SCRIPT.flatMap(({ tests = [] }) => tests);
    expect(named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
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
  expect(tracesOf(release)).toEqual([...scripts].map((name) => `${name}.trace.gz`).sort());
  for (const name of scripts) {
    const { header } = await readTrace(join(recordedFolder(release), `${name}.trace.gz`));
    expect(header.producer).toMatchObject({
      name: 'xen',
      version: expect.stringMatching(new RegExp(`^${release.replace('.', '\\.')}\\.`)),
    });
    expect(header.machine.release).toBe(release);
  }
});
