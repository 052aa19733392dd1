/** What SSE4.1 and SSE4a add to the packed integers and is no operation on single elements. */
import { and, isZero, not, or, shl, shr, Word, ZERO } from '../../../../word/word.ts';
import { AF, CF, OF, PF, SF, ZF } from '../../flags.ts';
import { finishXmm, readXmm } from '../../fpu/simd.ts';
import type { Xmm } from '../../fpu/state.ts';
import { completed, type Rules, type Semantics } from '../../running.ts';
import { xmmBytes, xmmElements, xmmFromElements } from '../mmx/bytes.ts';
import { xmmImmediateRule, xmmRule } from '../mmx/lanes.ts';

const none = ({ lo, hi }: Xmm): boolean => isZero(lo) && isZero(hi);

/** PTEST: ZF when SRC ∧ DEST is zero, CF when SRC ∧ ¬DEST is; OF SF AF PF cleared. */
const ptestRule: Semantics = (s, i) => {
  const [a, b] = [s.fpu.xmm[i.dst.index], readXmm(s, i, i.src)];
  const both = none({ lo: and(a.lo, b.lo), hi: and(a.hi, b.hi) }) ? ZF : 0;
  const beyond = none({ lo: and(not(a.lo), b.lo), hi: and(not(a.hi), b.hi) }) ? CF : 0;
  return completed(s, i, { flags: (s.flags & ~(OF | SF | AF | PF | ZF | CF)) | both | beyond });
};

/** PHMINPOSUW: the smallest element, and behind it where it is. */
const smallest = (value: Xmm): Xmm => {
  const elements = xmmElements(value);
  const least = Math.min(...elements);
  return xmmFromElements([least, elements.indexOf(least), 0, 0, 0, 0, 0, 0]);
};

/** MPSADBW: four bytes of the second operand against each four neighbours of the first. */
const mpsadbw = (a: Xmm, b: Xmm, immediate: number): Xmm => {
  const [first, second] = [xmmBytes(a).slice(immediate & 4), xmmBytes(b).slice(4 * (immediate & 3))];
  const distance = (from: number): number => [0, 1, 2, 3].reduce((sum, n) => sum + Math.abs(first[from + n] - second[n]), 0);
  return xmmFromElements([0, 1, 2, 3, 4, 5, 6, 7].map(distance));
};

/** The low `length` bits set; 0 means 64. */
const lowBits = (length: number): Word => (length === 0 ? new Word(-1, -1) : shr(new Word(-1, -1), 64 - length));

/** EXTRQ: a field of the lower half, at its bottom. The upper half, which the manual leaves undefined, becomes zero. */
const extracted = (value: Word, length: number, index: number): Word => and(shr(value, index), lowBits(length));
/** INSERTQ: the lowest bits of the source at a place of the lower half. */
const inserted = (old: Word, value: Word, length: number, index: number): Word => {
  const field = shl(lowBits(length), index);
  return or(and(old, not(field)), and(shl(value, index), field));
};

const extrqRule: Semantics = (s, i) => {
  const control = i.src.kind === 'imm' ? i.src.value.lo : s.fpu.xmm[i.src.index].lo.lo;
  const { lo } = s.fpu.xmm[i.dst.index];
  return finishXmm(s, i, i.dst.index, { lo: extracted(lo, control & 63, (control >> 8) & 63), hi: ZERO });
};

const insertqRule: Semantics = (s, i) => {
  const source = s.fpu.xmm[i.src.index];
  const control = i.third.kind === 'imm' && i.row.operands.length === 3 ? i.third.value.lo : source.hi.lo;
  const { lo } = s.fpu.xmm[i.dst.index];
  return finishXmm(s, i, i.dst.index, { lo: inserted(lo, source.lo, control & 63, (control >> 8) & 63), hi: ZERO });
};

export const SSE_INTEGER_RULES: Rules = {
  ptest: ptestRule,
  phminposuw: xmmRule((_, b) => smallest(b)),
  mpsadbw: xmmImmediateRule(mpsadbw),
  extrq: extrqRule,
  insertq: insertqRule,
};
