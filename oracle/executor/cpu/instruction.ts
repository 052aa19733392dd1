/** An instruction taken apart: prefixes, opcode, ModRM, immediate. */
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import type { Row } from '#spec/isa/x86/opcodes.ts';

/** Longest instruction in bytes. */
export const LONGEST = 15;

export type Instruction = {
  /** The row of the opcode map that it is. */
  readonly row: Row;
  /** Opcode with its map in the upper bits: 0x00..0xff, 0x0f00..0x0fff, 0x0f3800..0x0f38ff. */
  readonly opcode: number;
  /** All bytes. */
  readonly length: number;
  /** 0 when there is none. */
  readonly rex: number;
  /** 66 present. */
  readonly size66: boolean;
  /** Size of addresses in bytes; whether they have 32 bits. */
  readonly address: 2 | 4 | 8;
  readonly address32: boolean;
  /** How it was decoded. */
  readonly mode: DecodeMode;
  readonly lock: boolean;
  /** Last of F2/F3, 0 when there is none. */
  readonly rep: number;
  /** Segment override that counts (in 64-bit mode FS and GS alone), by the encoding's number; none: -1. */
  readonly segment: number;
  /** The ModRM byte, -1 when the opcode has none. */
  readonly modrm: number;
  /** modrm.reg with REX.R; modrm.rm with REX.B when it is a register. */
  readonly reg: number;
  readonly rm: number;
  /** The register in VEX.vvvv; 0 without VEX. */
  readonly vvvv: number;
  /** modrm.mod is not 3 (false without ModRM). */
  readonly memory: boolean;
  /** Registers of the memory operand: 16 none, 17 next RIP. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** By halves; the upper one is a sign extension except for the absolute addresses of A0 to A3. */
  readonly displacement: number;
  readonly displacementHigh: number;
  /** Immediate by halves, sign-extended to 64 bits; 0 when there is none. `immediate2`: ENTER's second, a far pointer's selector. */
  readonly immediate: number;
  readonly immediateHigh: number;
  readonly immediate2: number;
  /** Operand size in bytes by prefixes and the instruction's default (byte operands aside): 2, 4 or 8. */
  readonly size: 2 | 4 | 8;
};

export const NO_REGISTER = 16;
export const NEXT_RIP = 17;
