/** Packed comparisons and bitwise operations. */
import { ALL_ONES, and, equal, less, not, or, type Word, xor, ZERO } from '../../../../word/word.ts';
import type { Rules } from '../../running.ts';
import { bytes, dwords, lanewise, words } from './lanes.ts';

type OnElements = (a: number, b: number) => number;
const equals: OnElements = (a, b) => (a === b ? -1 : 0);
const greater: OnElements = (a, b) => (a > b ? -1 : 0);
const andNot = (a: Word, b: Word): Word => and(not(a), b);

export const COMPARE_AND_LOGIC_RULES: Rules = {
  pcmpeqb: lanewise(bytes(equals)),
  pcmpeqw: lanewise(words(equals)),
  pcmpeqd: lanewise(dwords(equals)),
  pcmpeqq: lanewise((a, b) => (equal(a, b) ? ALL_ONES : ZERO)),
  pcmpgtb: lanewise(bytes(greater)),
  pcmpgtw: lanewise(words(greater)),
  pcmpgtd: lanewise(dwords(greater)),
  pcmpgtq: lanewise((a, b) => (less(b, a) ? ALL_ONES : ZERO)),
  pand: lanewise(and),
  pandn: lanewise(andNot),
  por: lanewise(or),
  pxor: lanewise(xor),
  andps: lanewise(and),
  andpd: lanewise(and),
  andnps: lanewise(andNot),
  andnpd: lanewise(andNot),
  orps: lanewise(or),
  orpd: lanewise(or),
  xorps: lanewise(xor),
  xorpd: lanewise(xor),
};
