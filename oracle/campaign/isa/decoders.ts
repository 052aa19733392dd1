/** Both decoders with one face: what a string of bytes is, and how long. */

import { decode as decodeOnModel } from '#model/cpu/x86/decode/decode.ts';
import { Exit } from '#model/cpu/x86/fault.ts';
import { NotModelled } from '#spec/failure.ts';
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import { decode as decodeOnExecutor } from '../../executor/cpu/decode.ts';

/** `undefined`: #UD by its operands or prefixes, of `length` bytes. */
export type Decoded =
  | { readonly kind: 'instruction'; readonly mnemonic: string; readonly length: number }
  | { readonly kind: 'undefined'; readonly length: number }
  | { readonly kind: 'too long' }
  | { readonly kind: 'not modelled'; readonly what: string };

const LONGEST = 15;
const UD = 6;

export const modelDecodes = (bytes: Uint8Array, mode: DecodeMode): Decoded => {
  let fetched = 0;
  try {
    const { mnemonic, length } = decodeOnModel((at) => {
      fetched = at + 1;
      return bytes[at];
    }, mode);
    return { kind: 'instruction', mnemonic, length };
  } catch (error) {
    if (error instanceof NotModelled) return { kind: 'not modelled', what: error.message };
    if (!(error instanceof Exit)) throw error;
    return error.fault.vector === UD ? { kind: 'undefined', length: fetched } : { kind: 'too long' };
  }
};

class TooLong extends Error {}

export const executorDecodes = (bytes: Uint8Array, mode: DecodeMode): Decoded => {
  try {
    const { row, length } = decodeOnExecutor((at) => {
      if (at >= LONGEST) throw new TooLong();
      return bytes[at];
    }, mode);
    return { kind: 'instruction', mnemonic: row.mnemonic, length };
  } catch (error) {
    if (error instanceof NotModelled) return { kind: 'not modelled', what: error.message };
    if (error instanceof TooLong) return { kind: 'too long' };
    throw error;
  }
};
