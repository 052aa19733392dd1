import { expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { checkAsHtml, checkAsJson, rowOf, totalsOf } from './report.ts';
import { rowLabel, rowsMatching } from './row_label.ts';
import type { SiliconCheck } from './silicon_check.ts';
import { mergeTallies, type RowTally } from './tally.ts';

const tally = (row: number, change: Partial<RowTally> = {}): RowTally => ({
  row,
  mode: '64',
  cases: 10,
  agreed: 8,
  explained: { 'F-035': 1 },
  notModelled: {},
  masked: { A: 3 },
  differences: 1,
  first: { engine: 'model', seed: 5, code: '90', form: 'crossing', what: 'rax silicon 0x1, engine 0x2 <b>' },
  ...change,
});
const check: SiliconCheck = {
  processor: 'x86 (Test 1)',
  unavailable: null,
  seeds: { first: 1, last: 10 },
  rows: [tally(0), tally(1, { first: null, differences: 0, explained: {}, agreed: 10, masked: {} })],
  absent: [{ row: 1, mode: '32', why: 'a reason' }],
  seconds: 1,
};

it('each row of the opcode table has a name of its own', () => {
  expect(new Set([...OPCODES.keys()].map(rowLabel)).size).toBe(OPCODES.length);
  expect(rowsMatching('SHLD').map(rowLabel)).toEqual(['0F A4 shld Ev,Gv,Ib', '0F A5 shld Ev,Gv,CL']);
  expect(rowsMatching('no such row')).toEqual([]);
});

it('parts of a row are added up', () => {
  const merged = mergeTallies(tally(0, { first: null }), tally(0, { masked: { A: 1, O: 2 } }));
  expect(merged).toMatchObject({
    cases: 20,
    agreed: 16,
    explained: { 'F-035': 2 },
    notModelled: {},
    masked: { A: 4, O: 2 },
    differences: 2,
    first: { seed: 5 },
  });
  expect(mergeTallies(tally(0), tally(0, { first: { ...tally(0).first!, seed: 2 } })).first?.seed).toBe(2);
});

it('says the same as text, JSON and HTML', () => {
  expect(totalsOf(check)).toEqual({ rows: 2, fewest: 10, cases: 20, agreed: 18, explained: 1, notModelled: 0, differences: 1 });
  expect(rowOf(check.rows[0])).toEqual([
    '50 push Zv',
    '64',
    10,
    8,
    'A 3',
    'model, seed 5, 90 (crossing): rax silicon 0x1, engine 0x2 <b>; F-035: 1',
  ]);
  expect(checkAsJson(check)).toMatchObject({ totals: { differences: 1 }, rows: [{ instruction: '50 push Zv' }, { agreed: 10 }] });
  const html = checkAsHtml(check);
  expect(html).toContain('engine 0x2 &lt;b&gt;');
  for (const said of ['AVX-512', 'a reason', `${rowLabel(1)} (32)`]) expect(html).toContain(said);
  expect(html).not.toContain('<b>');
  expect(html.match(/class="differs"/g)).toHaveLength(1);
});
