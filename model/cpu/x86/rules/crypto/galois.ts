/** Arithmetic of polynomials over two elements: AES's field of 256 and carry-less products. */
import { bit, shl, shr, type Word, xor, ZERO } from '../../../../word/word.ts';

/** Times x in AES's field, modulo x^8 + x^4 + x^3 + x + 1. */
const timesX = (a: number): number => ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff;

export const multiplyInField = (a: number, b: number): number => {
  let product = 0;
  for (let power = a, rest = b; rest > 0; rest >>= 1) {
    if (rest & 1) product ^= power;
    power = timesX(power);
  }
  return product;
};

/** The element whose product with `a` is 1; 0 for 0. It is a to the 254th. */
export const inverse = (a: number): number => {
  let result = 1;
  for (let n = 0; n < 254; n++) result = multiplyInField(result, a);
  return a === 0 ? 0 : result;
};

const rotated = (a: number, by: number): number => ((a << by) | (a >> (8 - by))) & 0xff;

/** AES's S-box: the inverse, then an affine map of its bits. */
export const S_BOX: readonly number[] = Array.from({ length: 256 }, (_, a) => {
  const b = inverse(a);
  return b ^ rotated(b, 1) ^ rotated(b, 2) ^ rotated(b, 3) ^ rotated(b, 4) ^ 0x63;
});
export const INVERSE_S_BOX: readonly number[] = S_BOX.reduce<number[]>((table, b, a) => {
  table[b] = a;
  return table;
}, new Array<number>(256).fill(0));

/** 64 × 64 → 127 bits without carries. */
export const carrylessProduct = (a: Word, b: Word): { readonly hi: Word; readonly lo: Word } => {
  let hi = ZERO;
  let lo = ZERO;
  for (let n = 0; n < 64; n++) {
    if (bit(b, n) === 0) continue;
    lo = xor(lo, shl(a, n));
    if (n > 0) hi = xor(hi, shr(a, 64 - n));
  }
  return { hi, lo };
};
