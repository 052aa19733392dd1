/** Packed shifts: by the low 64 bits of the second operand, or by an immediate byte. */
import { shl, shr, type Word, ZERO } from '../../../../word/word.ts';
import { finishMmx, finishXmm, readMmx, readXmm } from '../../fpu/simd.ts';
import type { Instruction } from '../../instruction.ts';
import type { Rules, Running, Semantics } from '../../running.ts';
import { xmmBytes, xmmOf } from './bytes.ts';
import { dwords, words } from './lanes.ts';

/** A shift of every element by a count below `bits`. */
type Shift = (value: Word, count: number) => Word;

/** The count as a number; anything from 128 on is that. */
const countOf = (s: Running, i: Instruction): number => {
  const { hi, lo } = i.src.kind === 'imm' ? i.src.value : i.dst.kind === 'mmx' ? readMmx(s, i, i.src) : readXmm(s, i, i.src).lo;
  return hi !== 0 || lo < 0 || lo > 127 ? 128 : lo;
};

/** Counts that reach the element's width leave nothing; arithmetic ones copies of the sign. */
const shiftRule =
  (bits: number, shift: Shift, arithmetic = false): Semantics =>
  (s, i) => {
    const count = countOf(s, i);
    const by = (value: Word): Word => (count < bits ? shift(value, count) : arithmetic ? shift(value, bits - 1) : ZERO);
    if (i.dst.kind === 'mmx') return finishMmx(s, i, i.dst.index, by(readMmx(s, i, i.dst)));
    const { lo, hi } = s.fpu.xmm[i.dst.index];
    return finishXmm(s, i, i.dst.index, { lo: by(lo), hi: by(hi) });
  };

const each =
  (elements: typeof words, f: (a: number, count: number) => number): Shift =>
  (value, count) =>
    elements((a) => f(a, count))(value, value);

/** PSLLDQ, PSRLDQ: the whole register by bytes. */
const byteShiftRule =
  (left: boolean): Semantics =>
  (s, i) => {
    const count = Math.min(16, i.src.value.lo & 0xff);
    const list = xmmBytes(s.fpu.xmm[i.dst.index]);
    const nothing = new Array<number>(count).fill(0);
    return finishXmm(s, i, i.dst.index, xmmOf(left ? [...nothing, ...list] : [...list.slice(count), ...nothing]));
  };

export const PACKED_SHIFT_RULES: Rules = {
  psllw: shiftRule(
    16,
    each(words, (a, n) => a << n),
  ),
  pslld: shiftRule(
    32,
    each(dwords, (a, n) => a << n),
  ),
  psllq: shiftRule(64, shl),
  psrlw: shiftRule(
    16,
    each(words, (a, n) => (a & 0xffff) >>> n),
  ),
  psrld: shiftRule(
    32,
    each(dwords, (a, n) => a >>> n),
  ),
  psrlq: shiftRule(64, shr),
  psraw: shiftRule(
    16,
    each(words, (a, n) => a >> n),
    true,
  ),
  psrad: shiftRule(
    32,
    each(dwords, (a, n) => a >> n),
    true,
  ),
  pslldq: byteShiftRule(true),
  psrldq: byteShiftRule(false),
};
