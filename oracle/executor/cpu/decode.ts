/** Bytes to instructions. */
import { NotModelled } from '#spec/failure.ts';
import type { OpcodeMap } from '#spec/isa/x86/opcodes.ts';
import { type Instruction, NEXT_RIP, NO_REGISTER } from './instruction.ts';
import { FS, GS } from './interface.ts';
import { choose, entry } from './opcode_map.ts';

/** The byte at this distance from the instruction's first; throws the fault when there is none to be had. */
export type ByteSource = (at: number) => number;

/** Reads on, byte by byte: no byte is touched that the instruction does not have. */
class Reader {
  at = 0;
  private readonly byte: ByteSource;

  constructor(byte: ByteSource) {
    this.byte = byte;
  }

  u8(): number {
    return this.byte(this.at++);
  }
  s8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    return this.u8() | (this.u8() << 8);
  }
  s32(): number {
    return this.u16() | (this.u16() << 16);
  }
}

type Prefixes = { rex: number; size66: boolean; address32: boolean; lock: boolean; rep: number; segment: number; opcode: number };

/** Prefixes, and the first byte that is none. A REX prefix counts only right before the opcode. */
const readPrefixes = (reader: Reader): Prefixes => {
  const found: Prefixes = { rex: 0, size66: false, address32: false, lock: false, rep: 0, segment: -1, opcode: 0 };
  for (;;) {
    const byte = reader.u8();
    if ((byte & 0xf0) === 0x40) {
      found.rex = byte;
      continue;
    }
    switch (byte) {
      case 0x66:
        found.size66 = true;
        break;
      case 0x67:
        found.address32 = true;
        break;
      case 0xf0:
        found.lock = true;
        break;
      case 0xf2:
      case 0xf3:
        found.rep = byte;
        break;
      case 0x64:
        found.segment = FS;
        break;
      case 0x65:
        found.segment = GS;
        break;
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        break;
      default:
        found.opcode = byte;
        return found;
    }
    found.rex = 0;
  }
};

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const notModelled = (text: string): never => {
  throw new NotModelled(`instruction/${text}`);
};

/** Map, opcode byte and the opcode's number with its map. */
type Opcode = { readonly map: OpcodeMap; readonly byte: number; readonly number: number; readonly text: string };

const readOpcode = (reader: Reader, first: number): Opcode => {
  if (first !== 0x0f) return { map: '1', byte: first, number: first, text: hex(first) };
  const second = reader.u8();
  if (second !== 0x38 && second !== 0x3a) return { map: '0f', byte: second, number: 0x0f00 | second, text: `0f${hex(second)}` };
  const third = reader.u8();
  return {
    map: second === 0x38 ? '0f38' : '0f3a',
    byte: third,
    number: (0x0f00 << 8) | (second << 8) | third,
    text: `0f${hex(second)}${hex(third)}`,
  };
};

type Address = { base: number; index: number; scale: number; displacement: number };

const NO_ADDRESS: Address = { base: NO_REGISTER, index: NO_REGISTER, scale: 0, displacement: 0 };

/** The memory operand that ModRM, SIB and displacement describe. */
const readAddress = (reader: Reader, modrm: number, rex: number): Address => {
  const mod = modrm >> 6;
  const found: Address = { base: (modrm & 7) | ((rex & 1) << 3), index: NO_REGISTER, scale: 0, displacement: 0 };
  if ((modrm & 7) === 4) {
    const sib = reader.u8();
    found.base = (sib & 7) | ((rex & 1) << 3);
    const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
    if (index !== 4) {
      found.index = index;
      found.scale = sib >> 6;
    }
    if ((sib & 7) === 5 && mod === 0) {
      found.base = NO_REGISTER;
      found.displacement = reader.s32();
    }
  } else if ((modrm & 7) === 5 && mod === 0) {
    found.base = NEXT_RIP;
    found.displacement = reader.s32();
  }
  if (mod === 1) found.displacement = reader.s8();
  else if (mod === 2) found.displacement = reader.s32();
  return found;
};

/** Take an instruction apart. Throws NotModelled for an encoding that the opcode map lacks, and what the byte source throws. */
export const decode = (byte: ByteSource): Instruction => {
  const reader = new Reader(byte);
  const prefixes = readPrefixes(reader);
  const opcode = readOpcode(reader, prefixes.opcode);
  const known = entry(opcode.map, opcode.byte) ?? notModelled(opcode.text);
  const modrm = known.modrm ? reader.u8() : -1;
  const { rex, size66 } = prefixes;
  const memory = modrm >= 0 && modrm < 0xc0 && !known.registerOnly;
  // Bytes that every reading of the opcode has are fetched before it matters whether the map has this one.
  const address = memory ? readAddress(reader, modrm, rex) : NO_ADDRESS;
  const { row, immediates } = choose(known, { modrm, rep: prefixes.rep, size66, rex }) ?? notModelled(opcode.text);
  const wide = (rex & 8) !== 0;
  const size = wide ? 8 : size66 ? 2 : row.size === 64 ? 8 : 4;
  const found = {
    row,
    opcode: opcode.number,
    rex,
    size66,
    address32: prefixes.address32,
    lock: prefixes.lock,
    rep: prefixes.rep,
    segment: prefixes.segment,
    modrm,
    reg: ((modrm >> 3) & 7) | ((rex & 4) << 1),
    rm: (modrm & 7) | ((rex & 1) << 3),
    memory,
    base: address.base,
    index: address.index,
    scale: address.scale,
    displacement: address.displacement,
    displacementHigh: address.displacement >> 31,
    immediate: 0,
    immediateHigh: 0,
    immediate2: 0,
    size: size as 2 | 4 | 8,
    length: 0,
  };
  if (immediates.length > 0) readImmediate(reader, immediates[0], found);
  if (immediates.length > 1) found.immediate2 = immediates[1] === 'Iw' ? reader.u16() : reader.u8();
  found.length = reader.at;
  return found;
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** By operand code. An absolute address goes into the displacement. */
const readImmediate = (reader: Reader, code: string, found: Mutable<Instruction>): void => {
  if (code.startsWith('O')) {
    found.displacement = reader.s32();
    found.displacementHigh = found.address32 ? 0 : reader.s32();
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
