/** Which row of the opcode map (spec/isa/x86/opcodes.ts) an encoding is. */
import { OPCODES, type OpcodeMap, type Row } from '#spec/isa/x86/opcodes.ts';

/** All rows of one opcode, and whether a ModRM byte follows it. */
export type Entry = { readonly rows: readonly Row[]; readonly modrm: boolean };

const HAS_MODRM = /^[EMRGSCD][bwdqvyz]?$|^M(p|dq)$/;

const hasModrm = (row: Row): boolean =>
  row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((code) => HAS_MODRM.test(code));

/** Position of each map's 256 opcodes. */
const MAPS: Readonly<Record<OpcodeMap, number>> = { '1': 0, '0f': 256, '0f38': 512 };

const table: (Entry | null)[] = new Array(768).fill(null);
for (const row of OPCODES) {
  const at = MAPS[row.map] + row.opcode;
  const known = table[at];
  table[at] = { rows: [...(known?.rows ?? []), row], modrm: (known?.modrm ?? false) || hasModrm(row) };
}

/** The rows of an opcode; null when the map has none. */
export const entry = (map: OpcodeMap, opcode: number): Entry | null => table[MAPS[map] + opcode];

/** Prefixes that can choose between rows. */
export type Selectors = { readonly modrm: number; readonly rep: number; readonly size66: boolean };

const sizedBy66 = (row: Row): boolean => row.operands.some((code) => code.endsWith('v') || code === 'rAX');

/** `none` excludes F2 and F3, and 66 where it would not be an operand size. */
const prefixFits = (row: Row, { rep, size66 }: Selectors): boolean => {
  if (row.prefix === 'f3') return rep === 0xf3;
  if (row.prefix === 'f2') return rep === 0xf2;
  if (row.prefix === '66') return size66 && rep === 0;
  if (row.prefix === 'none') return rep === 0 && (!size66 || sizedBy66(row));
  return true;
};

const modrmFits = (row: Row, modrm: number): boolean =>
  (row.ext === undefined || row.ext === ((modrm >> 3) & 7)) &&
  (row.modrm === undefined || row.modrm === modrm) &&
  (row.mod === undefined || (row.mod === 'reg') === modrm >= 0xc0);

/** The row that applies; rows for one whole ModRM byte come before the others. */
export const choose = (rows: readonly Row[], selectors: Selectors): Row | undefined => {
  const fitting = rows.filter((row) => modrmFits(row, selectors.modrm) && prefixFits(row, selectors));
  return fitting.find((row) => row.modrm !== undefined) ?? fitting.find((row) => row.prefix !== undefined) ?? fitting[0];
};
