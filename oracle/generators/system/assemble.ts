/** Instructions by rows of the opcode table, for code of any mode: a register operand, or one absolute memory operand. */
import type { SystemCase } from '#oracle/image/bare/case.ts';
import { bitsOf, pageOf } from '#oracle/image/bare/case.ts';
import { DATA } from '#oracle/image/bare/layout.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';

export type Place = Pick<SystemCase, 'mode' | 'ring' | 'paging'>;

const MAP_BYTES = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] } as const;

/** Index of the row with this mnemonic whose text contains `part`. Throws when the table has none. */
export const rowOf = (mnemonic: string, part = ''): number => {
  const found = OPCODES.findIndex((row) => row.mnemonic === mnemonic && textOf(row).includes(part));
  if (found < 0) throw new Error(`no row ${mnemonic} ${part}`);
  return found;
};
const textOf = (row: Row): string =>
  `${row.map} ${row.opcode.toString(16)} /${row.ext ?? ''} ${row.modrm?.toString(16) ?? ''} ${row.mod ?? ''} ${row.operands.join(',')}`;

export const little = (value: number | bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * i)) & 0xffn));

/** Linear address of a case's data. */
export const dataAt = (place: Place, offset = 0): number => pageOf(place) + DATA + offset;
/** Its offset in DS, as the default segments of the mode have it. */
export const dataOffset = (place: Place, offset = 0): number =>
  place.mode === 'real' || place.mode === 'v86' ? DATA + offset : dataAt(place, offset);

/** ModRM and what follows for an absolute operand in code of some size. */
export const absolute = (bits: 16 | 32 | 64, reg: number, offset: number): number[] => {
  const modrm = (reg & 7) << 3;
  if (bits === 16) return [modrm | 6, ...little(offset, 2)];
  return bits === 32 ? [modrm | 5, ...little(offset, 4)] : [modrm | 4, 0x25, ...little(offset, 4)];
};

export type Operands = {
  /** modrm.reg when the row leaves it open, modrm.rm for a register operand. */
  readonly reg?: number;
  readonly rm?: number;
  /** Offset of a memory operand; wins over `rm` unless the row wants a register. */
  readonly memory?: number;
  readonly immediate?: readonly number[];
  /** Operand size other than the mode's default: 66. */
  readonly other?: boolean;
  readonly wide?: boolean;
  readonly before?: readonly number[];
};

/** The bytes of one instruction. */
export const instruction = (
  place: Place,
  index: number,
  { reg = 0, rm = 0, memory, immediate = [], other, wide, before = [] }: Operands = {},
): number[] => {
  const row = OPCODES[index];
  const bits = bitsOf(place.mode);
  const mandatory = row.prefix === 'f3' ? [0xf3] : row.prefix === 'f2' ? [0xf2] : row.prefix === '66' ? [0x66] : [];
  const size = other === true && row.prefix === undefined ? [0x66] : [];
  const rex = bits === 64 && (wide === true || reg >= 8 || rm >= 8 || row.rexB === true);
  const rexByte = 0x40 | (wide === true ? 8 : 0) | (reg >= 8 ? 4 : 0) | (rm >= 8 ? 1 : 0);
  const head = [...before, ...size, ...mandatory, ...(rex ? [rexByte] : []), ...MAP_BYTES[row.map], row.opcode];
  return [...head, ...modrmOf(row, bits, reg, rm, memory, dataOffset(place, 0x20)), ...immediate];
};

/** `somewhere`: what a row that has only memory operands gets when none is asked for. */
const modrmOf = (row: Row, bits: 16 | 32 | 64, reg: number, rm: number, memory: number | undefined, somewhere: number): number[] => {
  if (row.modrm !== undefined) return [row.modrm];
  const wants =
    row.ext !== undefined ||
    row.mod !== undefined ||
    row.operands.some((code) => /^[EMRGSCDVWPQU](?:[a-z]|$)/.test(code) && !/^[ECSDFG]S$/.test(code));
  if (!wants) return [];
  const field = row.ext ?? reg;
  const either = row.mod !== 'reg' && row.operands.some((code) => /^[EMWQ]/.test(code));
  if (either && memory !== undefined) return absolute(bits, field, memory);
  if (row.mod === 'mem') return absolute(bits, field, memory ?? somewhere);
  return [0xc0 | ((field & 7) << 3) | (rm & 7)];
};

/** MOV of a number to a register: 16, 32 or 64 bits by mode; all registers but those that SystemCase.gpr sets. */
export const movImmediate = (place: Place, reg: number, value: number | bigint): number[] => {
  const bits = bitsOf(place.mode);
  if (bits === 64) return [reg >= 8 ? 0x49 : 0x48, 0xb8 | (reg & 7), ...little(value, 8)];
  return [...(bits === 16 ? [0x66] : []), 0xb8 | reg, ...little(value, 4)];
};
