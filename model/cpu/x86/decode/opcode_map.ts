/** The rows of spec/isa/x86/opcodes.ts, found by opcode bytes. */
import { OPCODES, type OpcodeMap, type Row } from '#spec/isa/x86/opcodes.ts';
import { type Prefixes, REX } from './prefixes.ts';

/** The rows of each opcode, opcode maps one after another. */
const ROWS: readonly (readonly Row[])[] = (['1', '0f', '0f38', '0f3a'] as const).flatMap((map) =>
  Array.from({ length: 256 }, (_, opcode) => OPCODES.filter((row) => row.map === map && row.opcode === opcode)),
);
const FIRST: Record<OpcodeMap, number> = { '1': 0, '0f': 256, '0f38': 512, '0f3a': 768 };

export const rowsFor = (map: OpcodeMap, opcode: number): readonly Row[] => ROWS[FIRST[map] + opcode];

/** Operand codes whose place is in the modrm byte. CL, DX, FS and GS are registers by name and do not match. */
const IN_MODRM = /^[EMRGSCD][bwdqvzyp]?q?$/;

/** Whether a modrm byte follows the opcode. All rows of an opcode agree. */
export const hasModrm = (rows: readonly Row[]): boolean =>
  rows.some(
    (row) => row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((o) => IN_MODRM.test(o)),
  );

/** Whether r/m of these rows can only be a register. */
export const namesRegister = (rows: readonly Row[]): boolean => rows.some((row) => row.operands.some((o) => o.startsWith('R')));

/** The row that modrm and mandatory prefixes select. */
export const selectRow = (rows: readonly Row[], modrm: number, { rep, operandSize, rex }: Prefixes): Row | undefined =>
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
