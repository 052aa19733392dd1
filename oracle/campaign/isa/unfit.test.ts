import { expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { MODES } from '../../image/instruction/case.ts';
import { siliconPeer } from '../../peers/silicon/silicon.ts';
import { rowLabel } from './row_label.ts';
import { unitsOf } from './silicon_check.ts';
import { whyNot } from './unfit.ts';

const silicon = siliconPeer();

it.skipIf(!silicon.available)('a row is tried on silicon, or there is a reason why not', () => {
  if (!silicon.available) return;
  const tried = new Set(unitsOf(silicon, MODES).flatMap(({ rows, mode }) => rows.map((row) => `${mode} ${row}`)));
  const missing = [...OPCODES.keys()].filter((row) => MODES.every((mode) => !tried.has(`${mode} ${row}`)));
  expect(missing.filter((row) => MODES.every((mode) => whyNot(silicon, { row, mode }) === null)).map(rowLabel)).toEqual([]);
});

it.skipIf(!silicon.available)('every instruction of the table has a line of its own', () => {
  if (!silicon.available) return;
  const units = unitsOf(silicon, MODES).filter(({ row }) => OPCODES[row].mnemonic !== 'invalid');
  expect(units.every(({ rows }) => rows.length === 1)).toBe(true);
  expect(units.length).toBeGreaterThan(2500);
});
