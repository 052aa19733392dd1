/** How the tables of this folder write their rows. */
import type { OpcodeMap, Row } from '../row.ts';

export type Extra = Omit<Row, 'map' | 'opcode' | 'mnemonic' | 'operands'>;

/** `add Eb,Gb`: a mnemonic and operand codes (row.ts). */
export const row = (map: OpcodeMap, opcode: number, text: string, extra: Extra = {}): Row => {
  const [mnemonic, operands] = text.split(' ') as [string, string?];
  return { map, opcode, mnemonic, operands: operands ? operands.split(',') : [], ...extra };
};

export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Condition codes by number, as in Jcc, SETcc, CMOVcc. */
export const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;

/** Outside 64-bit mode; in 64-bit mode alone. */
export const LEGACY: Extra = { modes: 'legacy' };
export const LONG: Extra = { modes: 'long' };

/** The mandatory prefixes as tables write them: `np` none of them. */
type Mandatory = 'np' | '66' | 'f3' | 'f2';

/** The texts of one opcode by mandatory prefix. */
export type ByPrefix = Partial<Readonly<Record<Mandatory, string>>>;

/** Mnemonics, or whole texts, by opcode. */
export type ByOpcode = readonly (readonly [opcode: number, text: string])[];

const MMX_OPERAND = /(^| |,)[PQN]/;
/** These read their 16 bytes of memory at any address; the manuals want SHA's operands aligned, AMD's processors do not. */
const ANY_ADDRESS = /^(movups|movupd|movdqu|lddqu|pcmpestrm|pcmpestri|pcmpistrm|pcmpistri|maskmovdqu|sha.*)$/;
const ALIGNED_OPERAND = /^[WM]dq$/;

/** State and alignment of an instruction of the MMX and SSE registers, by its operands. */
const vector = (made: Row): Row => {
  const text = `${made.mnemonic} ${made.operands.join(',')}`;
  const state = made.state ?? (MMX_OPERAND.test(text) ? 'mmx' : 'sse');
  const aligned = made.operands.some((code) => ALIGNED_OPERAND.test(code)) && !ANY_ADDRESS.test(made.mnemonic) && made.mod !== 'reg';
  return { ...made, state, ...(aligned ? { align: 16 } : {}) };
};

/** Rows of an opcode of MMX and SSE by mandatory prefix. All other prefixes are #UD: unassigned.ts. */
export const simd = (map: OpcodeMap, opcode: number, texts: ByPrefix, extra: Extra): readonly Row[] =>
  (Object.entries(texts) as [Mandatory, string][]).map(([prefix, text]) => vector(row(map, opcode, text, { ...extra, prefix })));

/** An operation that MMX registers (no prefix) and XMM registers (66) have alike. `old`: what brought the MMX form; `source`: its second operand. */
export const both = (map: OpcodeMap, opcode: number, mnemonic: string, old: string, wide: string, source = 'Qq'): readonly Row[] => [
  ...simd(map, opcode, { np: `${mnemonic} Pq,${source}` }, { feature: old }),
  ...simd(map, opcode, { '66': `${mnemonic} Vdq,Wdq` }, { feature: wide }),
];
