/** Bytes to instructions. */
import { NotModelled } from '#spec/failure.ts';
import type { OpcodeMap, Row } from '#spec/isa/x86/opcodes.ts';
import type { Instruction } from './instruction.ts';
import { type CodeKind, decodeModeOf } from './mode.ts';
import { NO_ADDRESS, readAddress, readShortAddress } from './modrm.ts';
import { choose, type Encoding, type Entry, entry, type Selectors } from './opcode_map.ts';
import { type Prefixes, readPrefixes } from './prefixes.ts';
import { type ByteSource, Reader } from './reader.ts';

export type { ByteSource } from './reader.ts';

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const notModelled = (text: string): never => {
  throw new NotModelled(`instruction/${text}`);
};

/** Map, opcode byte and the opcode's number with its map. */
type Opcode = { readonly map: OpcodeMap; readonly byte: number; readonly number: number };

const numbered = (map: OpcodeMap, byte: number): Opcode => ({
  map,
  byte,
  number: map === '1' ? byte : map === '0f' ? 0x0f00 | byte : (map === '0f38' ? 0x0f3800 : 0x0f3a00) | byte,
});
const textOf = ({ map, byte }: Opcode): string => `${map === '1' ? '' : map}${hex(byte)}`;

const readOpcode = (reader: Reader, { opcode, vex }: Prefixes): Opcode => {
  if (vex !== null) return numbered(vex.map ?? '0f', opcode);
  if (opcode !== 0x0f) return numbered('1', opcode);
  const second = reader.u8();
  if (second === 0x38) return numbered('0f38', reader.u8());
  return second === 0x3a ? numbered('0f3a', reader.u8()) : numbered('0f', second);
};

/** Operand size in bytes by mode, prefixes and the instruction's default. */
const operandSize = (kind: CodeKind, row: Row, wide: boolean, size66: boolean): 2 | 4 | 8 => {
  if (kind !== '64') return (kind === '32') === size66 ? 2 : 4;
  if (wide) return 8;
  return size66 ? 2 : row.size === 64 ? 8 : 4;
};

/** Behind VEX pp is no operand size. */
const vexSize = (wide: boolean): 4 | 8 => (wide ? 8 : 4);

const addressSize = (kind: CodeKind, address67: boolean): 2 | 4 | 8 => {
  if (kind === '64') return address67 ? 4 : 8;
  return (kind === '32') === address67 ? 2 : 4;
};

const INVALID: Encoding = { row: { map: '1', opcode: 0, mnemonic: 'invalid', operands: [] }, immediates: [] };

/** Behind VEX with a map that does not exist nothing is an instruction. */
const entryFor = (opcode: Opcode, long: boolean, vex: Prefixes['vex']): Entry => {
  if (vex !== null && vex.map === null) return NOTHING;
  const known = entry(opcode.map, opcode.byte, long, vex !== null);
  if (known !== null) return known;
  if (vex?.spoiled || (opcode.map === '1' && GIVEN_UP.includes(opcode.byte))) return OPERAND_ALONE;
  return notModelled(`${vex === null ? '' : 'vex-'}${textOf(opcode)}`);
};

/** LES, LDS and BOUND where VEX and EVEX took their place, but did not begin behind REX: their operand is fetched. */
const GIVEN_UP: readonly number[] = [0xc4, 0xc5, 0x62];
const OPERAND_ALONE: Entry = { encodings: [INVALID], modrm: true, registerOnly: false };
const NOTHING: Entry = { encodings: [INVALID], modrm: false, registerOnly: false };

/** VEX.L must be 0, VEX.vvvv name nothing where no operand takes it, and no prefix stand before that VEX has a field for. */
const vexFits = ({ row }: Encoding, vex: NonNullable<Prefixes['vex']>): boolean =>
  !vex.long && !vex.spoiled && (vex.vvvv === 0 || row.operands.some((code) => code.startsWith('B')));

/**
 * Take an instruction apart. Throws NotModelled for an encoding that the opcode table lacks, and what the byte source throws.
 *
 * @param kind a DecodeMode, or `real` for what real and virtual-8086 mode make of the bytes.
 */
export const decode = (byte: ByteSource, kind: CodeKind = '64'): Instruction => {
  const reader = new Reader(byte);
  const prefixes = readPrefixes(reader, kind);
  const { rex, size66, vex } = prefixes;
  const opcode = readOpcode(reader, prefixes);
  const long = kind === '64';
  const known = entryFor(opcode, long, vex);
  const modrm = known.modrm ? reader.u8() : -1;
  const memory = modrm >= 0 && modrm < 0xc0 && !known.registerOnly;
  const address = addressSize(kind, prefixes.address67);
  // Bytes that every reading of the opcode has are fetched before it matters whether the table has this one.
  const place = !memory ? NO_ADDRESS : address === 2 ? readShortAddress(reader, modrm) : readAddress(reader, modrm, rex, long);
  const selectors: Selectors = { modrm, rep: prefixes.rep, size66, rex };
  const chosen = choose(known, selectors) ?? (vex === null ? notModelled(textOf(opcode)) : INVALID);
  const { immediates } = chosen;
  const { row } = vex === null || vexFits(chosen, vex) ? chosen : INVALID;
  const wide = (rex & 8) !== 0;
  const found = {
    row,
    opcode: opcode.number,
    rex,
    size66,
    address,
    address32: address === 4,
    mode: decodeModeOf(kind),
    lock: prefixes.lock,
    rep: prefixes.rep,
    segment: prefixes.segment,
    modrm,
    reg: ((modrm >> 3) & 7) | ((rex & 4) << 1),
    rm: (modrm & 7) | ((rex & 1) << 3),
    vvvv: vex?.vvvv ?? 0,
    memory,
    base: place.base,
    index: place.index,
    scale: place.scale,
    displacement: place.displacement,
    displacementHigh: place.displacement >> 31,
    immediate: 0,
    immediateHigh: 0,
    immediate2: 0,
    size: vex === null ? operandSize(kind, row, wide, size66) : vexSize(wide),
    length: 0,
  };
  if (immediates.length > 0) readImmediate(reader, immediates[0], found);
  if (immediates.length > 1) found.immediate2 = immediates[1] === 'Iw' ? reader.u16() : reader.u8();
  found.length = reader.at;
  return found;
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** By operand code. An absolute address goes into the displacement, a far pointer's selector into the second immediate. */
const readImmediate = (reader: Reader, code: string, found: Mutable<Instruction>): void => {
  if (code.startsWith('O')) {
    found.displacement = found.address === 2 ? reader.u16() : reader.s32();
    found.displacementHigh = found.address === 8 ? reader.s32() : 0;
    return;
  }
  if (code === 'Ap') {
    found.immediate = found.size === 2 ? reader.u16() : reader.s32();
    found.immediate2 = reader.u16();
    return;
  }
  if (code === 'Iv' && found.size === 8) {
    found.immediate = reader.s32();
    found.immediateHigh = reader.s32();
    return;
  }
  const narrow = code.endsWith('z') || code.endsWith('v');
  if (code.endsWith('b')) found.immediate = reader.s8();
  else if (code === 'Iw' || (narrow && found.size === 2)) found.immediate = (reader.u16() << 16) >> 16;
  else found.immediate = reader.s32();
  found.immediateHigh = found.immediate >> 31;
};
