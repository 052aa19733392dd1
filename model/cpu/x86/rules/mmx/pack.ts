/** Packing into narrower elements, interleaving, widening, and operations on neighbours. */
import { signExtend } from '../../../../word/size.ts';
import { Word } from '../../../../word/word.ts';
import { finishXmm, readLow } from '../../fpu/simd.ts';
import type { Rules, Semantics } from '../../running.ts';
import { saturated } from './arithmetic.ts';
import { wordBytes, wordElements, wordOf } from './bytes.ts';
import { twoForms, xmmRule } from './lanes.ts';

/** 64 bits of one operand become 32 bits of the result; the first operand's are the lower ones. */
const packing = (narrow: (value: Word) => number): Semantics =>
  twoForms(
    (a, b) => new Word(narrow(b), narrow(a)),
    (a, b) => ({ lo: new Word(narrow(a.hi), narrow(a.lo)), hi: new Word(narrow(b.hi), narrow(b.lo)) }),
  );

const toBytes =
  (low: number, high: number) =>
  (value: Word): number =>
    wordElements(value).reduceRight((packed, element) => (packed << 8) | (saturated((element << 16) >> 16, low, high) & 0xff), 0);
const toWords =
  (low: number, high: number) =>
  ({ hi, lo }: Word): number =>
    (saturated(hi, low, high) << 16) | (saturated(lo, low, high) & 0xffff);

type Interleave = (a: number, b: number) => Word;
const interleaveBytes: Interleave = (a, b) => {
  const half = (x: number, y: number): number => (x & 0xff) | ((y & 0xff) << 8) | ((x & 0xff00) << 8) | ((y & 0xff00) << 16);
  return new Word(half(a >>> 16, b >>> 16), half(a, b));
};
const interleaveWords: Interleave = (a, b) => new Word((a >>> 16) | (b & 0xffff0000), (a & 0xffff) | (b << 16));
const interleaveDwords: Interleave = (a, b) => new Word(b, a);

/** PUNPCKL, PUNPCKH: elements of both operands in turn, from their lower or upper halves. */
const lower = (f: Interleave): Semantics =>
  twoForms(
    (a, b) => f(a.lo, b.lo),
    (a, b) => ({ lo: f(a.lo.lo, b.lo.lo), hi: f(a.lo.hi, b.lo.hi) }),
  );
const upper = (f: Interleave): Semantics =>
  twoForms(
    (a, b) => f(a.hi, b.hi),
    (a, b) => ({ lo: f(a.hi.lo, b.hi.lo), hi: f(a.hi.hi, b.hi.hi) }),
  );

/** Sums or differences of neighbours: those of the first operand, then those of the second. */
const neighbours = (pair: (value: Word) => number): Semantics => packing(pair);
const pairOfWords =
  (f: (even: number, odd: number) => number) =>
  ({ hi, lo }: Word): number => {
    const half = (n: number): number => f((n << 16) >> 16, n >> 16);
    return (half(hi) << 16) | (half(lo) & 0xffff);
  };
const short = (n: number): number => saturated(n, -0x8000, 0x7fff);

/** PMOVSX, PMOVZX: each element of the low `from` bytes widened to `to`. */
const widening =
  (from: 1 | 2 | 4, to: 2 | 4 | 8, signed: boolean): Semantics =>
  (s, i) => {
    const source = wordBytes(readLow(s, i, i.src));
    const out: number[] = [];
    for (let at = 0; out.length < 16; at += from) {
      const element = wordOf([...source.slice(at, at + from), 0, 0, 0, 0, 0, 0, 0]);
      out.push(...wordBytes(signed ? signExtend(element, from) : element).slice(0, to));
    }
    return finishXmm(s, i, i.dst.index, { lo: wordOf(out), hi: wordOf(out, 8) });
  };

export const PACK_RULES: Rules = {
  packsswb: packing(toBytes(-0x80, 0x7f)),
  packuswb: packing(toBytes(0, 0xff)),
  packssdw: packing(toWords(-0x8000, 0x7fff)),
  packusdw: packing(toWords(0, 0xffff)),
  punpcklbw: lower(interleaveBytes),
  punpcklwd: lower(interleaveWords),
  punpckldq: lower(interleaveDwords),
  punpckhbw: upper(interleaveBytes),
  punpckhwd: upper(interleaveWords),
  punpckhdq: upper(interleaveDwords),
  punpcklqdq: xmmRule((a, b) => ({ lo: a.lo, hi: b.lo })),
  punpckhqdq: xmmRule((a, b) => ({ lo: a.hi, hi: b.hi })),
  unpcklps: lower(interleaveDwords),
  unpckhps: upper(interleaveDwords),
  unpcklpd: xmmRule((a, b) => ({ lo: a.lo, hi: b.lo })),
  unpckhpd: xmmRule((a, b) => ({ lo: a.hi, hi: b.hi })),
  phaddw: neighbours(pairOfWords((even, odd) => even + odd)),
  phaddsw: neighbours(pairOfWords((even, odd) => short(even + odd))),
  phaddd: neighbours(({ hi, lo }) => (lo + hi) | 0),
  phsubw: neighbours(pairOfWords((even, odd) => even - odd)),
  phsubsw: neighbours(pairOfWords((even, odd) => short(even - odd))),
  phsubd: neighbours(({ hi, lo }) => (lo - hi) | 0),
  pmovsxbw: widening(1, 2, true),
  pmovsxbd: widening(1, 4, true),
  pmovsxbq: widening(1, 8, true),
  pmovsxwd: widening(2, 4, true),
  pmovsxwq: widening(2, 8, true),
  pmovsxdq: widening(4, 8, true),
  pmovzxbw: widening(1, 2, false),
  pmovzxbd: widening(1, 4, false),
  pmovzxbq: widening(1, 8, false),
  pmovzxwd: widening(2, 4, false),
  pmovzxwq: widening(2, 8, false),
  pmovzxdq: widening(4, 8, false),
};
