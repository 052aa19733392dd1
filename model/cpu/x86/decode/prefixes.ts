/** What stands before the opcode. */
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import { NONE } from '../instruction.ts';
import { CS, DS, ES, FS, GS, SS } from '../state.ts';
import type { Bytes } from './bytes.ts';

export type Prefixes = {
  readonly mode: DecodeMode;
  /** A prefix 66; behind VEX its pp field. */
  readonly operandSize: boolean;
  /** Bytes of an address, by mode and prefix 67. */
  readonly addressSize: 2 | 4 | 8;
  readonly lock: boolean;
  /** The last of F3 and F2; behind VEX its pp field. */
  readonly rep: 'none' | 'rep' | 'repne';
  /** The last override; NONE without. Those of ES, CS, SS and DS mean nothing in 64-bit mode. */
  readonly segment: number;
  /** The REX byte, 0 when there is none. It counts only right before the opcode. Behind VEX: its W, R, X and B. */
  readonly rex: number;
  /** Behind VEX: its L and vvvv fields, and whether prefixes that VEX does not bear stand before it. */
  readonly vex: { readonly long: boolean; readonly register: number; readonly refused: boolean } | null;
  /** First byte of the opcode. */
  readonly opcode: number;
};

export const REX = { W: 8, R: 4, X: 2, B: 1 } as const;

const OVERRIDES: ReadonlyMap<number, number> = new Map([
  [0x26, ES],
  [0x2e, CS],
  [0x36, SS],
  [0x3e, DS],
  [0x64, FS],
  [0x65, GS],
]);

/** Bytes of an address: 67 takes 32 bits in 64-bit and 16-bit code, 16 bits in 32-bit code. */
const addressBytes = (mode: DecodeMode, other: boolean): 2 | 4 | 8 => {
  if (mode === '64') return other ? 4 : 8;
  return (mode === '32') === other ? 2 : 4;
};

export const readPrefixes = (bytes: Bytes, mode: DecodeMode): Prefixes => {
  let operandSize = false;
  let addressSize = false;
  let lock = false;
  let rep: Prefixes['rep'] = 'none';
  let segment = NONE;
  let rex = 0;
  for (;;) {
    const byte = bytes.u8();
    if (mode === '64' && byte >> 4 === 4) {
      rex = byte;
      continue;
    }
    const override = OVERRIDES.get(byte);
    if (byte === 0x66) operandSize = true;
    else if (byte === 0x67) addressSize = true;
    else if (byte === 0xf0) lock = true;
    else if (byte === 0xf3) rep = 'rep';
    else if (byte === 0xf2) rep = 'repne';
    else if (override === undefined)
      return { mode, operandSize, addressSize: addressBytes(mode, addressSize), lock, rep, segment, rex, vex: null, opcode: byte };
    else if (mode !== '64' || override >= FS) segment = override;
    rex = 0;
  }
};
