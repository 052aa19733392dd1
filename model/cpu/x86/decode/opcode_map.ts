/** The rows of spec/isa/x86/opcodes.ts, found by opcode bytes. */
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { OpcodeMap, Row } from '#spec/isa/x86/row.ts';
import { type Prefixes, REX } from './prefixes.ts';

type Rows = readonly Row[];

/** What an opcode may mean: its rows in the table's order, and what they have in common. */
export type Opcode = {
  readonly rows: Rows;
  /** A modrm byte follows. All rows agree. */
  readonly modrm: boolean;
  /** Its r/m can only be a register. */
  readonly registers: boolean;
};

/** Operand codes whose place is in the modrm byte. Registers by name do not match. */
const IN_MODRM = /^([EMRGSCDVWUPQN](dq|[bwdqvzypat])?|STi)$/;

const hasModrm = (row: Row): boolean =>
  row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((o) => IN_MODRM.test(o));
const namesRegister = (row: Row): boolean => row.operands.some((o) => /^[CD][a-z]$/.test(o));

const NO_ROWS: Opcode = { rows: [], modrm: false, registers: false };

/** The opcodes of one map, by their byte. */
type Page = readonly Opcode[];
type Pages = Readonly<Record<OpcodeMap, Page>>;

const MAPS = [...new Set(OPCODES.map(({ map }) => map))];

/** The rows that code of one size has, with VEX or without. */
const gathered = (vex: boolean, fits: (row: Row) => boolean): Pages => {
  const page = (map: OpcodeMap): Page => {
    const found = Array.from({ length: 256 }, (): Row[] => []);
    for (const row of OPCODES) if (row.map === map && (row.vex === true) === vex && fits(row)) found[row.opcode].push(row);
    return found.map((rows) => (rows.length === 0 ? NO_ROWS : { rows, modrm: rows.some(hasModrm), registers: rows.some(namesRegister) }));
  };
  return Object.fromEntries(MAPS.map((map) => [map, page(map)])) as Pages;
};

type Sizes = Readonly<Record<DecodeMode, Pages>>;
const sized = (vex: boolean): Sizes => {
  const legacy = gathered(vex, (row) => row.modes !== 'long');
  return { '16': legacy, '32': legacy, '64': gathered(vex, (row) => row.modes !== 'legacy') };
};
const PLAIN = sized(false);
const WITH_VEX = sized(true);

export const opcodeFor = (mode: DecodeMode, vex: boolean, map: OpcodeMap, opcode: number): Opcode =>
  (vex ? WITH_VEX : PLAIN)[mode][map][opcode];

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
