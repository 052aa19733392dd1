/** What stands before the opcode. */
import { FS, GS } from '../state.ts';
import type { Bytes } from './bytes.ts';

export type Prefixes = {
  readonly operandSize: boolean;
  readonly addressSize: boolean;
  readonly lock: boolean;
  /** The last of F3 and F2. */
  readonly rep: 'none' | 'rep' | 'repne';
  /** FS or GS, the last one given; 0 for none. The other overrides mean nothing in 64-bit mode. */
  readonly segment: number;
  /** The REX byte, 0 when there is none. It counts only right before the opcode. */
  readonly rex: number;
  /** First byte of the opcode. */
  readonly opcode: number;
};

export const REX = { W: 8, R: 4, X: 2, B: 1 } as const;

export const readPrefixes = (bytes: Bytes): Prefixes => {
  let operandSize = false;
  let addressSize = false;
  let lock = false;
  let rep: Prefixes['rep'] = 'none';
  let segment = 0;
  let rex = 0;
  for (;;) {
    const byte = bytes.u8();
    if (byte >> 4 === 4) {
      rex = byte;
      continue;
    }
    if (byte === 0x66) operandSize = true;
    else if (byte === 0x67) addressSize = true;
    else if (byte === 0xf0) lock = true;
    else if (byte === 0xf3) rep = 'rep';
    else if (byte === 0xf2) rep = 'repne';
    else if (byte === 0x64) segment = FS;
    else if (byte === 0x65) segment = GS;
    else if (byte !== 0x26 && byte !== 0x2e && byte !== 0x36 && byte !== 0x3e)
      return { operandSize, addressSize, lock, rep, segment, rex, opcode: byte };
    rex = 0;
  }
};
