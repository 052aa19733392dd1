/** Moves of whole registers, halves and lowest elements; masked stores; LDMXCSR and STMXCSR. */
import { ACCESS } from '../../../../memory/translate.ts';
import { Word, ZERO } from '../../../../word/word.ts';
import { readPair, writePair } from '../../block.ts';
import { enteringMmx } from '../../fpu/entered.ts';
import { finishLow, finishPair, finishXmm, inMmx, readLow, readXmm } from '../../fpu/simd.ts';
import type { Xmm } from '../../fpu/state.ts';
import { type Instruction, NONE, Operand } from '../../instruction.ts';
import { finish, read, readToWrite, writeMemory } from '../../operand.ts';
import { completed, type Rules, type Semantics } from '../../running.ts';
import { RDI } from '../../state.ts';
import { wordBytes, wordOf, xmmBytes, xmmDwords, xmmFromDwords, xmmOf } from '../mmx/bytes.ts';
import { requireMxcsr } from './mxcsr.ts';

/** Sixteen bytes, to a register or to memory. */
const moveRule: Semantics = (s, i) => {
  const value = readXmm(s, i, i.src);
  return i.dst.kind === 'mem' ? finishPair(s, i, i.dst, value) : finishXmm(s, i, i.dst.index, value);
};

/** MOVSS, MOVSD: from memory the rest becomes zero, from a register it stays; a store is of the element alone. */
const scalarRule =
  (merge: (old: Xmm, value: Word) => Xmm): Semantics =>
  (s, i) => {
    const value = readLow(s, i, i.src);
    if (i.dst.kind === 'mem') return finishLow(s, i, i.dst, value);
    const old = s.fpu.xmm[i.dst.index];
    return finishXmm(s, i, i.dst.index, i.src.kind === 'mem' ? { lo: value, hi: ZERO } : merge(old, value));
  };

/** Stores of the lowest bytes. */
const storeLowRule: Semantics = (s, i) => finishLow(s, i, i.dst, readLow(s, i, i.src));

/** MOVLPS, MOVLPD: the lower half; the upper one stays. */
const lowerHalfRule: Semantics = (s, i) => {
  if (i.dst.kind === 'mem') return storeLowRule(s, i);
  return finishXmm(s, i, i.dst.index, { lo: read(s, i, i.src), hi: s.fpu.xmm[i.dst.index].hi });
};

/** MOVHPS, MOVHPD: the upper half. */
const upperHalfRule: Semantics = (s, i) => {
  if (i.dst.kind === 'mem') return finishLow(s, i, i.dst, s.fpu.xmm[i.src.index].hi);
  return finishXmm(s, i, i.dst.index, { lo: s.fpu.xmm[i.dst.index].lo, hi: read(s, i, i.src) });
};

const movhlpsRule: Semantics = (s, i) => finishXmm(s, i, i.dst.index, { lo: s.fpu.xmm[i.src.index].hi, hi: s.fpu.xmm[i.dst.index].hi });
const movlhpsRule: Semantics = (s, i) => finishXmm(s, i, i.dst.index, { lo: s.fpu.xmm[i.dst.index].lo, hi: s.fpu.xmm[i.src.index].lo });

const arrangedRule =
  (order: readonly number[]): Semantics =>
  (s, i) => {
    const elements = xmmDwords(readXmm(s, i, i.src));
    return finishXmm(s, i, i.dst.index, xmmFromDwords(order.map((n) => elements[n])));
  };

/** MOVNTI: a store of a general register. */
const movntiRule: Semantics = (s, i) => finish(s, i, i.dst, read(s, i, i.src));

const ldmxcsrRule: Semantics = (s, i) => {
  const mxcsr = read(s, i, i.dst).lo;
  requireMxcsr(mxcsr);
  return completed(s, i, { fpu: { ...s.fpu, mxcsr } });
};
const stmxcsrRule: Semantics = (s, i) => finish(s, i, i.dst, new Word(0, s.fpu.mxcsr));

/** The memory at DS:rDI (or another segment) that MASKMOVQ and MASKMOVDQU write. */
const implied = (i: Instruction, bytes: 8 | 16): Operand =>
  new Operand('mem', 8, NONE, ZERO, RDI, 0, i.segment, i.addressSize, false, bytes);

const selected = (old: readonly number[], value: readonly number[], mask: readonly number[]): number[] =>
  old.map((byte, n) => (mask[n] & 0x80 ? value[n] : byte));

/** MASKMOVDQU: the bytes whose mask has its top bit set. The whole operand must be writable, its lower half first. */
const maskmovdquRule: Semantics = (s, i) => {
  const at = implied(i, 16);
  readToWrite(s, i, implied(i, 8));
  const list = selected(xmmBytes(readPair(s, i, at, ACCESS.WRITE, 8)), xmmBytes(s.fpu.xmm[i.dst.index]), xmmBytes(s.fpu.xmm[i.src.index]));
  return completed(s, i, { memory: writePair(s, i, at, xmmOf(list), 8) });
};

const maskmovqRule: Semantics = (s, i) => {
  const at = implied(i, 8);
  const [value, mask] = [i.dst, i.src].map(({ index }) => wordBytes(s.fpu.registers[index].significand));
  const list = selected(wordBytes(readToWrite(s, i, at)), value, mask);
  return completed(s, i, { fpu: inMmx(s.fpu), memory: writeMemory(s, i, at, wordOf(list)) });
};

export const SSE_MOVE_RULES: Rules = {
  ...Object.fromEntries(
    ['movups', 'movupd', 'movaps', 'movapd', 'movdqa', 'movdqu', 'lddqu', 'movntps', 'movntpd', 'movntdq', 'movntdqa'].map(
      (name) => [name, moveRule] as const,
    ),
  ),
  movss: scalarRule((old, value) => ({ lo: new Word(old.lo.hi, value.lo), hi: old.hi })),
  movsd: scalarRule((old, value) => ({ lo: value, hi: old.hi })),
  movntss: storeLowRule,
  movntsd: storeLowRule,
  movnti: movntiRule,
  movlps: lowerHalfRule,
  movlpd: lowerHalfRule,
  movhps: upperHalfRule,
  movhpd: upperHalfRule,
  movhlps: movhlpsRule,
  movlhps: movlhpsRule,
  movsldup: arrangedRule([0, 0, 2, 2]),
  movshdup: arrangedRule([1, 1, 3, 3]),
  movddup: arrangedRule([0, 1, 0, 1]),
  ldmxcsr: ldmxcsrRule,
  stmxcsr: stmxcsrRule,
  maskmovq: enteringMmx(maskmovqRule, true),
  maskmovdqu: maskmovdquRule,
};
