/** Packed multiplication, sums of products and of differences. */
import { multiply32 } from '../../../../word/multiply.ts';
import { neg, Word } from '../../../../word/word.ts';
import type { Rules } from '../../running.ts';
import { saturated } from './arithmetic.ts';
import { wordBytes } from './bytes.ts';
import { dwords, lanewise, type OnWords, unsignedWords, words } from './lanes.ts';

/** Signed elements of 16 bits, two in each half. */
const multiplyAdd: OnWords = dwords((x, y) => Math.imul(x >> 16, y >> 16) + Math.imul((x << 16) >> 16, (y << 16) >> 16));

const byteAt = (x: number, n: number): number => (x >>> (8 * n)) & 0xff;
const signedAt = (x: number, n: number): number => (x << (24 - 8 * n)) >> 24;

/** PMADDUBSW: unsigned bytes of the first times signed ones of the second, neighbours added, saturated. */
const multiplyAddBytes: OnWords = dwords((x, y) => {
  const pair = (n: number): number => saturated(byteAt(x, n) * signedAt(y, n) + byteAt(x, n + 1) * signedAt(y, n + 1), -0x8000, 0x7fff);
  return (pair(2) << 16) | (pair(0) & 0xffff);
});

/** PMULHRSW: bits 30 to 15 of the product, rounded. */
const roundedHigh: OnWords = words((a, b) => (((a * b) >> 14) + 1) >> 1);

const signedProduct: OnWords = (a, b) => {
  const product = multiply32(Math.abs(a.lo), Math.abs(b.lo));
  return a.lo < 0 === b.lo < 0 ? product : neg(product);
};

/** PSADBW: how far the bytes are apart, all in all. */
const sumOfDifferences: OnWords = (a, b) => {
  const other = wordBytes(b);
  return new Word(
    0,
    wordBytes(a).reduce((sum, byte, n) => sum + Math.abs(byte - other[n]), 0),
  );
};

export const PACKED_MULTIPLY_RULES: Rules = {
  pmullw: lanewise(words((a, b) => Math.imul(a, b))),
  pmulhw: lanewise(words((a, b) => Math.imul(a, b) >> 16)),
  pmulhuw: lanewise(unsignedWords((a, b) => Math.imul(a, b) >>> 16)),
  pmulhrsw: lanewise(roundedHigh),
  pmulld: lanewise(dwords((a, b) => Math.imul(a, b))),
  pmuludq: lanewise((a, b) => multiply32(a.lo, b.lo)),
  pmuldq: lanewise(signedProduct),
  pmaddwd: lanewise(multiplyAdd),
  pmaddubsw: lanewise(multiplyAddBytes),
  psadbw: lanewise(sumOfDifferences),
};
