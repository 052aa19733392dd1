import { expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { MODES } from '../../image/instruction/case.ts';
import { rowLabel } from './row_label.ts';
import { unitsOf } from './silicon_check.ts';
import { whyNot } from './unfit.ts';

/** A processor with everything, and one with nothing that has a name. */
const rich = { features: new Set(OPCODES.flatMap(({ feature }) => (feature === undefined ? [] : [feature]))) };
const poor = { features: new Set<string>() };

it('a row is tried on silicon, or there is a reason why not', () => {
  const tried = new Set(unitsOf(rich, MODES).flatMap(({ rows, mode }) => rows.map((row) => `${mode} ${row}`)));
  const missing = [...OPCODES.keys()].filter((row) => MODES.every((mode) => !tried.has(`${mode} ${row}`)));
  expect(missing.filter((row) => MODES.every((mode) => whyNot(rich, { row, mode }) === null)).map(rowLabel)).toEqual([]);
});

it('every instruction of the table has a line of its own', () => {
  const units = unitsOf(rich, MODES).filter(({ row }) => OPCODES[row].mnemonic !== 'invalid');
  expect(units.every(({ rows }) => rows.length === 1)).toBe(true);
  expect(units.length).toBeGreaterThan(2500);
});

it('a processor without a feature is not asked for its instructions, and the reason names it', () => {
  const withFeature = OPCODES.findIndex(({ feature }) => feature === 'bmi2');
  expect(whyNot(poor, { row: withFeature, mode: '64' })).toBe('the processor lacks bmi2');
  expect(unitsOf(poor, ['64']).every(({ row }) => OPCODES[row].feature === undefined)).toBe(true);
});
