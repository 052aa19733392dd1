/** The rows of spec/isa/x86/opcodes.ts, found by opcode bytes. */
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { OpcodeMap, Row } from '#spec/isa/x86/row.ts';
import { type Prefixes, REX } from './prefixes.ts';

type Rows = readonly Row[];

const keyOf = (vex: boolean, map: OpcodeMap, opcode: number): string => `${vex ? 'vex ' : ''}${map} ${opcode}`;

/** The rows that code of one size has, by opcode, in the table's order. */
const gathered = (fits: (row: Row) => boolean): ReadonlyMap<string, Rows> => {
  const found = new Map<string, Row[]>();
  for (const row of OPCODES) {
    if (!fits(row)) continue;
    const key = keyOf(row.vex === true, row.map, row.opcode);
    const there = found.get(key);
    if (there) there.push(row);
    else found.set(key, [row]);
  }
  return found;
};

const LEGACY = gathered((row) => row.modes !== 'long');
const ROWS: Readonly<Record<DecodeMode, ReadonlyMap<string, Rows>>> = {
  '16': LEGACY,
  '32': LEGACY,
  '64': gathered((row) => row.modes !== 'legacy'),
};

export const rowsFor = (mode: DecodeMode, vex: boolean, map: OpcodeMap, opcode: number): Rows =>
  ROWS[mode].get(keyOf(vex, map, opcode)) ?? [];

/** Operand codes whose place is in the modrm byte. Registers by name do not match. */
const IN_MODRM = /^([EMRGSCDVWUPQN](dq|[bwdqvzypat])?|STi)$/;

/** Whether a modrm byte follows the opcode. All rows of an opcode agree. */
export const hasModrm = (rows: Rows): boolean =>
  rows.some(
    (row) => row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((o) => IN_MODRM.test(o)),
  );

/** Whether r/m of these rows can only be a register. */
export const namesRegister = (rows: Rows): boolean => rows.some((row) => row.operands.some((o) => /^[CD][a-z]$/.test(o)));

/** The row that modrm and mandatory prefixes select: the first that fits. */
export const selectRow = (rows: Rows, modrm: number, { rep, operandSize, rex }: Prefixes): Row | undefined =>
  rows.find(
    (row) =>
      (row.modrm === undefined || row.modrm === modrm) &&
      (row.ext === undefined || row.ext === ((modrm >> 3) & 7)) &&
      (row.mod === undefined || (row.mod === 'reg') === modrm >= 0xc0) &&
      (row.rexB === undefined || row.rexB === ((rex & REX.B) !== 0)) &&
      prefixFits(row, rep, operandSize),
  );

const prefixFits = (row: Row, rep: Prefixes['rep'], operandSize: boolean): boolean => {
  if (row.prefix === undefined) return true;
  if (row.prefix === 'none') return rep === 'none';
  if (row.prefix === 'np') return rep === 'none' && !operandSize;
  if (row.prefix === '66') return operandSize && rep === 'none';
  return rep === (row.prefix === 'f3' ? 'rep' : 'repne');
};
