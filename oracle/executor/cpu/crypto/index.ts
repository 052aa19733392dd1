/** PCLMULQDQ, AES, SHA and GFNI. */
import { type Lanes, packed } from '../sse/vector.ts';
import type { BuildTable } from '../table.ts';
import { AES } from './aes.ts';
import { GFNI } from './gfni.ts';
import { SHA } from './sha.ts';

/** The product of two polynomials of 64 bits; immediate bits 0 and 4 choose the halves. */
const carrylessProduct: Lanes = ({ u64 }, a, b, _, o) => {
  const x = u64[(a >> 1) + (o.imm & 1)];
  let product = 0n;
  for (let y = u64[(b >> 1) + ((o.imm >> 4) & 1)], shift = 0n; y !== 0n; y >>= 1n, shift++) if ((y & 1n) === 1n) product ^= x << shift;
  u64[a >> 1] = product;
  u64[(a >> 1) + 1] = product >> 64n;
};

export const CRYPTO: BuildTable = { pclmulqdq: packed(carrylessProduct), ...AES, ...SHA, ...GFNI };
