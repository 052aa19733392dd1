/** Moving elements about inside a register. */
import { and, not, or, sar, Word } from '../../../../word/word.ts';
import { finishMmx, finishXmm, readMmx, readXmm } from '../../fpu/simd.ts';
import type { Xmm } from '../../fpu/state.ts';
import type { Rules, Semantics } from '../../running.ts';
import { fromElements, wordBytes, wordElements, wordOf, xmmBytes, xmmDwords, xmmFromDwords, xmmOf } from './bytes.ts';
import { twoForms, xmmImmediateRule } from './lanes.ts';

/** Four elements chosen by two bits each, from the lowest. */
export const chosen = <T>(elements: readonly T[], order: number): T[] => [0, 2, 4, 6].map((shift) => elements[(order >> shift) & 3]);

const pshufwRule: Semantics = (s, i) =>
  finishMmx(s, i, i.dst.index, fromElements(chosen(wordElements(readMmx(s, i, i.src)), i.third.value.lo)));

const shuffledWords = (value: Word, order: number): Word => fromElements(chosen(wordElements(value), order));

/** PSHUFB: each byte names one of the register's; bit 7 makes it zero. */
const byIndex = (list: readonly number[], indices: readonly number[]): number[] =>
  indices.map((index) => (index & 0x80 ? 0 : list[index & (list.length - 1)]));

const pshufbRule = twoForms(
  (a, b) => wordOf(byIndex(wordBytes(a), wordBytes(b))),
  (a, b) => xmmOf(byIndex(xmmBytes(a), xmmBytes(b))),
);

/** PALIGNR: both operands side by side, moved down by bytes. */
const aligned = (above: readonly number[], below: readonly number[], by: number): number[] => {
  const both = [...below, ...above];
  return below.map((_, n) => both[n + by] ?? 0);
};

const palignrRule: Semantics = (s, i) => {
  const by = i.third.value.lo & 0xff;
  if (i.dst.kind === 'mmx') {
    const list = aligned(wordBytes(readMmx(s, i, i.dst)), wordBytes(readMmx(s, i, i.src)), by);
    return finishMmx(s, i, i.dst.index, wordOf(list));
  }
  const list = aligned(xmmBytes(s.fpu.xmm[i.dst.index]), xmmBytes(readXmm(s, i, i.src)), by);
  return finishXmm(s, i, i.dst.index, xmmOf(list));
};

/** Elements of the second operand where the bit of the immediate is set. */
const blended =
  (elements: number) =>
  (a: Xmm, b: Xmm, mask: number): Xmm => {
    const width = 16 / elements;
    const other = xmmBytes(b);
    return xmmOf(xmmBytes(a).map((byte, n) => (mask & (1 << Math.floor(n / width)) ? other[n] : byte)));
  };

/** PBLENDVB, BLENDVPS, BLENDVPD: where the top bit of the element of XMM0 is set. `spread` copies that bit over the element. */
const blendByXmm0 =
  (spread: (mask: Word) => Word): Semantics =>
  (s, i) => {
    const [a, b, mask] = [s.fpu.xmm[i.dst.index], readXmm(s, i, i.src), s.fpu.xmm[0]];
    const half = (x: Word, y: Word, m: Word): Word => or(and(x, not(spread(m))), and(y, spread(m)));
    return finishXmm(s, i, i.dst.index, { lo: half(a.lo, b.lo, mask.lo), hi: half(a.hi, b.hi, mask.hi) });
  };

/** INSERTPS: an element of the source (of a register: the one in bits 7 and 6) to the place in bits 5 and 4; bits 3 to 0 clear. */
const insertpsRule: Semantics = (s, i) => {
  const order = i.third.value.lo;
  const source = xmmDwords(readXmm(s, i, i.src))[i.src.kind === 'mem' ? 0 : (order >> 6) & 3];
  const list = xmmDwords(s.fpu.xmm[i.dst.index]);
  list[(order >> 4) & 3] = source;
  return finishXmm(s, i, i.dst.index, xmmFromDwords(list.map((element, n) => (order & (1 << n) ? 0 : element))));
};

export const SHUFFLE_RULES: Rules = {
  pshufw: pshufwRule,
  pshufd: xmmImmediateRule((_, b, order) => xmmFromDwords(chosen(xmmDwords(b), order))),
  pshuflw: xmmImmediateRule((_, { lo, hi }, order) => ({ lo: shuffledWords(lo, order), hi })),
  pshufhw: xmmImmediateRule((_, { lo, hi }, order) => ({ lo, hi: shuffledWords(hi, order) })),
  shufps: xmmImmediateRule((a, b, order) => {
    const [first, second] = chosen(xmmDwords(a), order);
    return xmmFromDwords([first, second, ...chosen(xmmDwords(b), order).slice(2)]);
  }),
  shufpd: xmmImmediateRule((a, b, order) => ({ lo: order & 1 ? a.hi : a.lo, hi: order & 2 ? b.hi : b.lo })),
  pshufb: pshufbRule,
  palignr: palignrRule,
  pblendw: xmmImmediateRule(blended(8)),
  blendps: xmmImmediateRule(blended(4)),
  blendpd: xmmImmediateRule(blended(2)),
  pblendvb: blendByXmm0((mask) => wordOf(wordBytes(mask).map((byte) => (byte & 0x80 ? 0xff : 0)))),
  blendvps: blendByXmm0(({ hi, lo }) => new Word(hi >> 31, lo >> 31)),
  blendvpd: blendByXmm0((mask) => sar(mask, 63)),
  insertps: insertpsRule,
};
