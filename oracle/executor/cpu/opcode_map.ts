/** Which row of the opcode map (spec/isa/x86/opcodes.ts) an encoding is. */
import { OPCODES, type OpcodeMap, type Row } from '#spec/isa/x86/opcodes.ts';

/** A row, and what decoding wants to know of it without looking at its operands again. */
export type Encoding = {
  readonly row: Row;
  /** Operand codes of the immediates, offsets and absolute addresses that follow. */
  readonly immediates: readonly string[];
};

/** All encodings of one opcode, and whether a ModRM byte follows it. All of them agree in both. */
export type Entry = {
  readonly encodings: readonly Encoding[];
  readonly modrm: boolean;
  /** MOV to and from control and debug registers takes its register operand from ModRM whatever mod says. */
  readonly registerOnly: boolean;
};

const IN_MODRM = /^([EMRGSCDVWUPQN]([bwdqvzypat]|dq)?|STi)$/;
const IMMEDIATE = /^(I[bwzv]|sb|J[bz]|O[bv]|Ap)$/;

const hasModrm = (row: Row): boolean =>
  row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((code) => IN_MODRM.test(code));

const encodingOf = (row: Row): Encoding => ({
  row,
  immediates: row.operands.filter((code) => IMMEDIATE.test(code)),
});

/** Position of each map's 256 opcodes. */
const MAPS: Readonly<Record<OpcodeMap, number>> = { '1': 0, '0f': 256, '0f38': 512, '0f3a': 768 };

type Table = readonly (Entry | null)[];

const tableOf = (rows: readonly Row[]): Table => {
  const table: (Entry | null)[] = new Array(1024).fill(null);
  for (const row of rows) {
    const at = MAPS[row.map] + row.opcode;
    const known = table[at];
    table[at] = {
      encodings: [...(known?.encodings ?? []), encodingOf(row)],
      modrm: (known?.modrm ?? false) || hasModrm(row),
      registerOnly: (known?.registerOnly ?? false) || row.operands.some((code) => /^R[dqvy]$/.test(code)),
    };
  }
  return table;
};

const tableFor = (vex: boolean, modes: 'long' | 'legacy'): Table =>
  tableOf(OPCODES.filter((row) => (row.vex === true) === vex && (row.modes === undefined || row.modes === modes)));

const LONG_TABLE = tableFor(false, 'long');
const LEGACY_TABLE = tableFor(false, 'legacy');
const LONG_VEX_TABLE = tableFor(true, 'long');
const LEGACY_VEX_TABLE = tableFor(true, 'legacy');

/** The encodings of an opcode, in 64-bit mode or outside, behind VEX or not; null when the table has none. */
export const entry = (map: OpcodeMap, opcode: number, long: boolean, vex: boolean): Entry | null => {
  const table = vex ? (long ? LONG_VEX_TABLE : LEGACY_VEX_TABLE) : long ? LONG_TABLE : LEGACY_TABLE;
  return table[MAPS[map] + opcode];
};

/** Prefixes that can choose between rows. */
export type Selectors = { readonly modrm: number; readonly rep: number; readonly size66: boolean; readonly rex: number };

/** `none` excludes F2 and F3, `np` 66 as well. */
const prefixFits = ({ row }: Encoding, { rep, size66, rex }: Selectors): boolean => {
  if (row.rexB !== undefined && row.rexB !== ((rex & 1) !== 0)) return false;
  if (row.prefix === undefined) return true;
  if (row.prefix === 'f3') return rep === 0xf3;
  if (row.prefix === 'f2') return rep === 0xf2;
  if (row.prefix === '66') return size66 && rep === 0;
  return rep === 0 && !(size66 && row.prefix === 'np');
};

const modrmFits = ({ row }: Encoding, modrm: number): boolean =>
  (row.ext === undefined || row.ext === ((modrm >> 3) & 7)) &&
  (row.modrm === undefined || row.modrm === modrm) &&
  (row.mod === undefined || (row.mod === 'reg') === modrm >= 0xc0);

/** The more an encoding demands, the more it counts: a whole ModRM byte before a prefix before nothing. */
const rank = ({ row }: Encoding): number => (row.modrm !== undefined ? 2 : row.prefix !== undefined ? 1 : 0);

/** The encoding that applies; of two that demand as much, the first. */
export const choose = ({ encodings }: Entry, selectors: Selectors): Encoding | undefined => {
  let best: Encoding | undefined;
  for (const encoding of encodings) {
    if (!modrmFits(encoding, selectors.modrm) || !prefixFits(encoding, selectors)) continue;
    if (best === undefined || rank(encoding) > rank(best)) best = encoding;
  }
  return best;
};
