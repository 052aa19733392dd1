/**
 * Operations on all elements of a register at once. A function on the elements becomes one on 64-bit words, which is a whole MMX
 * register or half of an XMM register; no BigInt, because integer SIMD is what programs do most.
 */
import { Word } from '../../../../word/word.ts';
import { finishMmx, finishXmm, readMmx, readXmm } from '../../fpu/simd.ts';
import type { Xmm } from '../../fpu/state.ts';
import type { Semantics } from '../../running.ts';

export type OnWords = (a: Word, b: Word) => Word;
type OnElements = (a: number, b: number) => number;

const halves =
  (f: OnElements): OnWords =>
  (a, b) =>
    new Word(f(a.hi, b.hi) | 0, f(a.lo, b.lo) | 0);

/** Elements of 32 bits, signed as they come. */
export const dwords = halves;
export const unsignedDwords = (f: OnElements): OnWords => halves((x, y) => f(x >>> 0, y >>> 0));

/** Elements of 16 bits, sign-extended; results are cut off. */
export const words = (f: OnElements): OnWords =>
  halves((x, y) => (f(x >> 16, y >> 16) << 16) | (f((x << 16) >> 16, (y << 16) >> 16) & 0xffff));
/** Elements of 16 bits, zero-extended. */
export const unsignedWords = (f: OnElements): OnWords =>
  halves((x, y) => (f(x >>> 16, y >>> 16) << 16) | (f(x & 0xffff, y & 0xffff) & 0xffff));

/** Elements of 8 bits, sign-extended. */
export const bytes = (f: OnElements): OnWords =>
  halves(
    (x, y) =>
      (f(x >> 24, y >> 24) << 24) |
      ((f((x << 8) >> 24, (y << 8) >> 24) & 0xff) << 16) |
      ((f((x << 16) >> 24, (y << 16) >> 24) & 0xff) << 8) |
      (f((x << 24) >> 24, (y << 24) >> 24) & 0xff),
  );
/** Elements of 8 bits, zero-extended. */
export const unsignedBytes = (f: OnElements): OnWords =>
  halves(
    (x, y) =>
      (f(x >>> 24, y >>> 24) << 24) |
      ((f((x >>> 16) & 0xff, (y >>> 16) & 0xff) & 0xff) << 16) |
      ((f((x >>> 8) & 0xff, (y >>> 8) & 0xff) & 0xff) << 8) |
      (f(x & 0xff, y & 0xff) & 0xff),
  );

export const onXmm =
  (f: OnWords) =>
  (a: Xmm, b: Xmm): Xmm => ({ lo: f(a.lo, b.lo), hi: f(a.hi, b.hi) });

/** DEST ← f(DEST, SRC), on MMX or XMM registers, whatever the destination is. */
export const lanewise = (f: OnWords): Semantics => twoForms(f, onXmm(f));

/** DEST ← f(DEST, SRC), where the two register files need functions of their own. */
export const twoForms =
  (mmx: OnWords, xmm: (a: Xmm, b: Xmm) => Xmm): Semantics =>
  (s, i) =>
    i.dst.kind === 'mmx'
      ? finishMmx(s, i, i.dst.index, mmx(readMmx(s, i, i.dst), readMmx(s, i, i.src)))
      : finishXmm(s, i, i.dst.index, xmm(s.fpu.xmm[i.dst.index], readXmm(s, i, i.src)));

/** XMM alone: DEST ← f(DEST, SRC). */
export const xmmRule =
  (f: (a: Xmm, b: Xmm) => Xmm): Semantics =>
  (s, i) =>
    finishXmm(s, i, i.dst.index, f(s.fpu.xmm[i.dst.index], readXmm(s, i, i.src)));

/** The same with the immediate byte. */
export const xmmImmediateRule =
  (f: (a: Xmm, b: Xmm, immediate: number) => Xmm): Semantics =>
  (s, i) =>
    finishXmm(s, i, i.dst.index, f(s.fpu.xmm[i.dst.index], readXmm(s, i, i.src), i.third.value.lo & 0xff));
