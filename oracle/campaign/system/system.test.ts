import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { PRIVILEGED_ROWS } from '../../generators/system/families/privileged.ts';
import { MODE_RINGS } from '../../generators/system/places.ts';
import { PRIVILEGED_CELLS, SYSTEM_FAMILIES, systemCase } from '../../generators/system/system_case.ts';
import { RECORD_FIELDS, type RecordField } from '../../image/bare/layout.ts';
import type { CaseRecord } from '../../image/bare/result.ts';
import { checkSystem, findBarePeer } from './check.ts';
import { outcomeDifferences } from './compare.ts';
import { engineRunner, loadBare } from './engines.ts';
import { EXPLANATIONS, REPAIRS } from './findings.ts';
import { judge } from './judge.ts';
import { systemHtml, systemTotals } from './report.ts';
import { type Outcome, type Runner, runCases } from './runner.ts';

const cases = (first: number, count: number) => Array.from({ length: count }, (_, i) => systemCase(first + i));
const both = async () => [engineRunner('model', await loadBare('model')), engineRunner('executor', await loadBare('executor'))] as const;

describe('cases', () => {
  it('are made from seeds, always the same', () => {
    const text = (seed: number) => JSON.stringify(systemCase(seed), (_, v) => (typeof v === 'bigint' ? String(v) : v));
    expect(text(5)).toBe(text(5));
    expect(text(5)).not.toBe(text(6));
  });

  it('reach every family, mode, ring and privileged row', () => {
    const made = cases(1, 8000);
    expect(new Set(made.map((c) => `${c.mode} ${c.ring}`))).toEqual(new Set(MODE_RINGS.map(({ mode, ring }) => `${mode} ${ring}`)));
    const cells = new Map<string, number>();
    for (const { row, mode, ring } of made) cells.set(`${row} ${mode} ${ring}`, (cells.get(`${row} ${mode} ${ring}`) ?? 0) + 1);
    const few = PRIVILEGED_CELLS.filter(({ row, mode, ring }) => (cells.get(`${row} ${mode} ${ring}`) ?? 0) < 5);
    expect(few.map(({ row, mode, ring }) => `${OPCODES[row].mnemonic} ${mode} ${ring}`)).toEqual([]);
    expect(new Set(PRIVILEGED_CELLS.map(({ row }) => row))).toEqual(new Set(PRIVILEGED_ROWS));
    expect(SYSTEM_FAMILIES.length).toBeGreaterThan(20);
  });
});

it('model and executor agree', async () => {
  const [model, executor] = await both();
  const made = cases(100_001, 300);
  const [a, b] = [await runCases(model, made), await runCases(executor, made)];
  const differ = made.flatMap((c, i) => {
    const d = outcomeDifferences(a[i], b[i]);
    return d.length === 0 ? [] : [`seed ${100_001 + i}, ${c.mode} ${c.ring} ${c.note}: ${d.join('; ')}`];
  });
  expect(differ).toEqual([]);
});

it.each(['qemu', 'bochs'] as const)('%s agrees but for findings', async (name) => {
  const peer = findBarePeer(name);
  const check = await checkSystem({ peer: name, first: 1, last: 120 });
  if (!peer.available) {
    expect(check).toMatchObject({ unavailable: peer.why, rows: [] });
    return;
  }
  expect(check.rows.filter((row) => row.differences > 0).map((row) => row.first)).toEqual([]);
  const totals = systemTotals(check);
  expect([totals.cases, totals.agreed + totals.butFor > 90]).toEqual([120, true]);
  expect(totals.agreed + totals.butFor + totals.explained + totals.lacking + totals.differences).toBe(totals.cases);
  expect(systemHtml(check)).toContain(`${totals.rows} rows by mode and ring, 120 cases`);
});

describe('the judge', () => {
  const fields = Object.fromEntries(RECORD_FIELDS.map((name) => [name, 0n])) as Record<RecordField, bigint>;
  const record = (more: Partial<Record<RecordField, bigint>>, changes: CaseRecord['changes'] = []): Outcome => ({
    kind: 'record',
    record: { id: 1, fields: { ...fields, vector: 6n, ...more }, changes },
  });
  const c = systemCase(3);
  const verdict = (model: Outcome, executor: Outcome, peer: Outcome) =>
    judge('qemu', { seed: 3, c: { ...c, note: 'nothing' }, model, executor, peer });

  it('sees a difference of any field and of any word', () => {
    const same = record({}, [[0x9000, 1]]);
    expect(verdict(same, same, same)).toEqual({ kind: 'agreed' });
    for (const name of RECORD_FIELDS)
      if (name !== 'id' && name !== 'changes') expect(verdict(same, record({ [name]: 77n }, [[0x9000, 1]]), same).kind).toBe('different');
    for (const changes of [[], [[0x9000, 2]], [[0x9004, 1]]] as const)
      expect(verdict(same, same, record({}, changes as CaseRecord['changes']))).toMatchObject({
        kind: 'different',
        first: { engine: 'peer' },
      });
  });

  it('takes a known defect for itself alone', () => {
    const ours = record({ f2: 0x10002n });
    expect(verdict(ours, ours, record({ f2: 2n }))).toEqual({ kind: 'explained', whole: false, findings: ['F-140'] });
    expect(verdict(ours, ours, record({ f2: 3n })).kind).toBe('different');
    expect(verdict(ours, ours, record({ f2: 2n, rax: 1n })).kind).toBe('different');
  });

  it('says what is not modelled, and what took a machine away', () => {
    const missing: Outcome = { kind: 'not_modelled', why: 'hardware/pci' };
    expect(verdict(missing, missing, record({}))).toEqual({ kind: 'lacking', what: 'hardware/pci' });
    expect(verdict(record({}), record({}), { kind: 'reset', why: 'gone' }).kind).toBe('different');
  });
});

it('every explanation has its finding', () => {
  const text = readFileSync(new URL('../../../spec/findings.md', import.meta.url), 'utf8');
  for (const { finding } of [...REPAIRS, ...EXPLANATIONS]) expect(text).toContain(`\n## ${finding} `);
});

it('an emulator that dies of a case has that case failed; one that does not start, all', async () => {
  const [, executor] = await both();
  const made = cases(1, 4);
  const why = 'an assertion';
  let runs = 0;
  const dying: Runner = {
    name: 'dying',
    run: async (payload) => {
      const { debugcon, stopped } = await executor.run(payload);
      if (runs++ > 0) return { debugcon, stopped };
      const second = [...debugcon.keys()].filter((i) => String.fromCharCode(...debugcon.subarray(i, i + 4)) === 'CASE')[1];
      return { debugcon: debugcon.subarray(0, second), stopped: { kind: 'failed', why } };
    },
  };
  expect((await runCases(dying, made)).map(({ kind }) => kind)).toEqual(['record', 'failed', 'record', 'record']);
  const slow: Runner = {
    name: 'slow',
    run: async (payload) => ({ ...(await dying.run(payload)), stopped: { kind: 'hang', why: 'it was stopped', byClock: true } }),
  };
  runs = 0;
  expect((await runCases(slow, made)).map(({ kind }) => kind)).toEqual(['record', 'record', 'record', 'record']);
  const absent: Runner = { name: 'absent', run: async () => ({ debugcon: new Uint8Array(0), stopped: { kind: 'failed', why } }) };
  expect(await runCases(absent, made)).toEqual(made.map(() => ({ kind: 'failed', why })));
});

it('an explanation is of how both ended, not of the case alone', () => {
  const fields = Object.fromEntries(RECORD_FIELDS.map((name) => [name, 0n])) as Record<RecordField, bigint>;
  const ended = (vector: bigint, more: Partial<Record<RecordField, bigint>> = {}): Outcome => ({
    kind: 'record',
    record: { id: 1, fields: { ...fields, vector, ...more }, changes: [] },
  });
  const c = { ...systemCase(3), row: OPCODES.findIndex(({ mnemonic }) => mnemonic === 'rdmsr'), gpr: { 1: 0xdeadbeefn } };
  const verdict = (gpr: bigint, ours: Outcome, peer: Outcome) =>
    judge('qemu', { seed: 3, c: { ...c, note: 'RDMSR', gpr: { 1: gpr } }, model: ours, executor: ours, peer }).kind;
  expect(verdict(0xdeadbeefn, ended(13n), ended(6n))).toBe('explained');
  expect(verdict(0xdeadbeefn, ended(13n), ended(6n, { rax: 1n }))).toBe('different');
  expect(verdict(0xdeadbeefn, ended(6n), ended(13n))).toBe('different');
  expect(verdict(0x277n, ended(13n), ended(6n))).toBe('different');
});

it('a case that takes the machine away does not take the others with it', async () => {
  const [, executor] = await both();
  const made = cases(1, 6);
  let runs = 0;
  // Cuts each image's third record off, as a reset in the third case would.
  const cut: Runner = {
    name: 'cut',
    run: async (payload) => {
      const { debugcon } = await executor.run(payload);
      runs++;
      const marks = [...debugcon.keys()].filter((i) => String.fromCharCode(...debugcon.subarray(i, i + 4)) === 'CASE');
      return {
        debugcon: marks.length > 2 ? debugcon.subarray(0, marks[2]) : debugcon,
        stopped: marks.length > 2 ? { kind: 'reset', why: 'cut' } : null,
      };
    },
  };
  expect((await runCases(cut, made)).map(({ kind }) => kind)).toEqual(['record', 'record', 'reset', 'record', 'record', 'reset']);
  expect(runs).toBe(2);
});
