/** GFNI: sixteen bytes as elements of AES's field, and affine maps of their bits. */
import type { Xmm } from '../../fpu/state.ts';
import type { Rules } from '../../running.ts';
import { xmmBytes, xmmOf } from '../mmx/bytes.ts';
import { xmmImmediateRule, xmmRule } from '../mmx/lanes.ts';
import { inverse, multiplyInField } from './galois.ts';

const parity = (byte: number): number => {
  let odd = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) odd ^= 1;
  return odd;
};

/** Bit n of the result is the parity of what row n of the matrix lets through; the first row is the last of eight bytes. */
const transformed = (matrix: readonly number[], byte: number): number =>
  matrix.reduce((sum, row, n) => sum | (parity(row & byte) << (7 - n)), 0);

/** Each half of the source is the matrix for the eight bytes of the same half; the immediate is added to every byte. */
const affine =
  (prepare: (byte: number) => number) =>
  (bytes: Xmm, matrices: Xmm, added: number): Xmm => {
    const rows = xmmBytes(matrices);
    return xmmOf(xmmBytes(bytes).map((byte, n) => transformed(rows.slice(n & 8, (n & 8) + 8), prepare(byte)) ^ added));
  };

const products = (a: Xmm, b: Xmm): Xmm => {
  const factors = xmmBytes(b);
  return xmmOf(xmmBytes(a).map((byte, n) => multiplyInField(byte, factors[n])));
};

export const GFNI_RULES: Rules = {
  gf2p8mulb: xmmRule(products),
  gf2p8affineqb: xmmImmediateRule(affine((byte) => byte)),
  gf2p8affineinvqb: xmmImmediateRule(affine(inverse)),
};
