/** Numbers at which instructions turn. */
import { CODE, DATA, DATA_END, DATA_READ_ONLY, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import type { Stream } from './stream.ts';

const edgesOf = (bytes: number): readonly bigint[] => {
  const bits = BigInt(8 * bytes);
  const top = 1n << (bits - 1n);
  const all = (1n << bits) - 1n;
  return [0n, 1n, 2n, 3n, 0xfn, 0x10n, top - 2n, top - 1n, top, top + 1n, all - 2n, all - 1n, all, all / 3n, (all / 3n) * 2n];
};
const EDGES: Readonly<Record<number, readonly bigint[]>> = { 1: edgesOf(1), 2: edgesOf(2), 4: edgesOf(4), 8: edgesOf(8), 16: edgesOf(16) };

/** A number of 1, 2, 4, 8 or 16 bytes: an edge, a single bit, or anything. */
export const operandValue = (s: Stream, bytes: number): bigint => {
  const bits = 8 * bytes;
  if (s.one(2)) return s.pick(EDGES[bytes]);
  if (s.one(4)) return 1n << BigInt(s.below(bits));
  const wide = bytes === 16 ? (s.bits64() << 64n) | s.bits64() : s.bits64();
  return BigInt.asUintN(bits, s.one(3) ? wide >> BigInt(s.below(bits)) : wide);
};

const POINTERS: readonly number[] = [DATA, DATA + PAGE, DATA_READ_ONLY, DATA_END, STACK, STACK + PAGE, CODE];

/** What a general register may hold: an edge of some size under a rest that must survive or go, a small count, an address. */
export const registerValue = (s: Stream): bigint => {
  switch (s.below(8)) {
    case 0:
      return BigInt(s.below(70));
    case 1:
      return BigInt(s.pick(POINTERS) + s.below(PAGE));
    case 2:
    case 3:
      return s.bits64();
    case 4:
      return operandValue(s, 8);
    default: {
      const bytes = s.pick([1, 2, 4]);
      return (s.bits64() & ~((1n << BigInt(8 * bytes)) - 1n)) | operandValue(s, bytes);
    }
  }
};

/** The bytes of a number, lowest first. */
export const bytesOf = (value: bigint, bytes: number): Uint8Array => {
  const all = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) all[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return all;
};
