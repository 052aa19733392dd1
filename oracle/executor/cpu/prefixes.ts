/** Prefixes, the VEX prefix among them, up to the opcode. */
import { NotModelled } from '#spec/failure.ts';
import type { OpcodeMap } from '#spec/isa/x86/opcodes.ts';
import { CS, DS, ES, FS, GS, SS_REG } from './interface.ts';
import type { CodeKind } from './mode.ts';
import type { Reader } from './reader.ts';

export type Prefixes = {
  rex: number;
  size66: boolean;
  address67: boolean;
  lock: boolean;
  /** Last of F2 and F3; behind VEX what its pp field stands for. */
  rep: number;
  /** Segment override that counts in this mode, -1 for none. */
  segment: number;
  /** The first byte that is no prefix. */
  opcode: number;
  vex: Vex | null;
};

export type Vex = {
  readonly map: OpcodeMap | null;
  readonly vvvv: number;
  readonly long: boolean;
  /** A prefix stands before it that must not. */
  readonly spoiled: boolean;
};

/** A REX prefix counts only right before the opcode. */
export const readPrefixes = (reader: Reader, kind: CodeKind): Prefixes => {
  const found: Prefixes = { rex: 0, size66: false, address67: false, lock: false, rep: 0, segment: -1, opcode: 0, vex: null };
  for (;;) {
    const byte = reader.u8();
    if (kind === '64' && (byte & 0xf0) === 0x40) {
      found.rex = byte;
      continue;
    }
    if (!notePrefix(found, byte, kind)) {
      found.opcode = byte;
      // Behind REX these are no prefixes either.
      if (found.rex !== 0) return found;
      if (byte === 0x62 && isVex(reader, kind)) throw new NotModelled('instruction/evex');
      if ((byte === 0xc4 || byte === 0xc5) && isVex(reader, kind)) readVex(reader, kind, found);
      return found;
    }
    found.rex = 0;
  }
};

/** Whether the byte is a prefix other than REX. */
const notePrefix = (found: Prefixes, byte: number, kind: CodeKind): boolean => {
  switch (byte) {
    case 0x66:
      found.size66 = true;
      return true;
    case 0x67:
      found.address67 = true;
      return true;
    case 0xf0:
      found.lock = true;
      return true;
    case 0xf2:
    case 0xf3:
      found.rep = byte;
      return true;
    default: {
      const segment = OVERRIDES[byte];
      if (segment === undefined) return false;
      // In 64-bit mode the others are passed over, and do not take FS or GS back.
      if (kind !== '64' || segment >= FS) found.segment = segment;
      return true;
    }
  }
};

const OVERRIDES: Readonly<Record<number, number>> = { 38: ES, 46: CS, 54: SS_REG, 62: DS, 100: FS, 101: GS };

/** Outside 64-bit mode C4, C5 and 62 are LES, LDS and BOUND unless a register operand would follow; real mode has no VEX. */
const isVex = (reader: Reader, kind: CodeKind): boolean => kind === '64' || (kind !== 'real' && reader.peek() >= 0xc0);

const MAPS: readonly (OpcodeMap | null)[] = [null, '0f', '0f38', '0f3a'];
const PP = [0, 0x66, 0xf3, 0xf2] as const;

const readVex = (reader: Reader, kind: CodeKind, found: Prefixes): void => {
  const spoiled = found.lock || found.size66 || found.rep !== 0;
  const short = found.opcode === 0xc5;
  const first = reader.u8();
  const last = short ? first & 0x7f : reader.u8();
  const extension = ~first >> 5;
  const wide = last >= 0x80;
  // Bits R, X, B and W as REX has them; 64-bit mode alone has the registers and the size that they name.
  const rex = ((extension & 4) !== 0 ? 4 : 0) | (short ? 0 : (extension & 3) | (wide ? 8 : 0));
  const long = kind === '64';
  found.rex = long ? 0x40 | rex : 0;
  found.vex = {
    map: short ? '0f' : (MAPS[first & 31] ?? null),
    vvvv: (~last >> 3) & (long ? 15 : 7),
    long: (last & 4) !== 0,
    spoiled,
  };
  const pp = PP[last & 3];
  found.size66 = pp === 0x66;
  found.rep = pp > 0x66 ? pp : 0;
  found.opcode = reader.u8();
};
