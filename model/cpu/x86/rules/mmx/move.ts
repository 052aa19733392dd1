/** Moves between MMX or XMM registers and everything else, element by element; EMMS. */
import { signBit } from '../../../../word/size.ts';
import { Word, ZERO } from '../../../../word/word.ts';
import { inMmx, readLow, withMmx } from '../../fpu/simd.ts';
import { type Fpu, withXmm } from '../../fpu/state.ts';
import type { Instruction, Operand } from '../../instruction.ts';
import { read, writeMemory, writeRegister } from '../../operand.ts';
import { citing, completed, type Rules, type Running, type Semantics } from '../../running.ts';
import { fromElements, wordBytes, wordElements, wordOf, xmmBytes, xmmElements, xmmFromElements, xmmOf } from './bytes.ts';

/** State after an instruction that touched an MMX register without writing one. */
const touched = (fpu: Fpu, o: Operand): Fpu => (o.kind === 'mmx' ? inMmx(fpu) : fpu);

/** A value to a general register (a dword clears the rest) or memory. */
const giveOut = (s: Running, i: Instruction, value: Word, fpu: Fpu): Running => {
  if (i.dst.kind === 'mem') return completed(s, i, { fpu, memory: writeMemory(s, i, i.dst, value) });
  return completed(s, i, { fpu, regs: writeRegister(s.regs, i.dst, value) });
};

/** MOVD, MOVQ: zero-extended into a register; out of one, its low part. */
const movRule: Semantics = (s, i) => {
  const value = i.src.kind === 'xmm' || i.src.kind === 'mmx' ? readLow(s, i, i.src) : read(s, i, i.src);
  if (i.dst.kind === 'mmx') return completed(citing(s, 'fp/mmx-tags'), i, { fpu: withMmx(s.fpu, i.dst.index, value) });
  if (i.dst.kind === 'xmm') return completed(s, i, { fpu: withXmm(s.fpu, i.dst.index, { lo: value, hi: ZERO }) });
  return giveOut(s, i, value, touched(s.fpu, i.src));
};

const movq2dqRule: Semantics = (s, i) =>
  completed(s, i, { fpu: withXmm(inMmx(s.fpu), i.dst.index, { lo: readLow(s, i, i.src), hi: ZERO }) });
const movdq2qRule: Semantics = (s, i) => completed(s, i, { fpu: withMmx(s.fpu, i.dst.index, s.fpu.xmm[i.src.index].lo) });

/** EMMS: all registers are empty. */
const emmsRule: Semantics = (s, i) => completed(s, i, { fpu: { ...inMmx(s.fpu), tag: 0 } });

/** PMOVMSKB, MOVMSKPS, MOVMSKPD: the top bit of each element, zero-extended. */
const maskRule =
  (bits: (s: Running, o: Operand) => readonly number[]): Semantics =>
  (s, i) => {
    const mask = bits(s, i.src).reduce((sum, bit, n) => sum | (bit << n), 0);
    return completed(s, i, { fpu: touched(s.fpu, i.src), regs: writeRegister(s.regs, i.dst, new Word(0, mask)) });
  };

const registerBytes = ({ fpu }: Running, { kind, index }: Operand): number[] =>
  kind === 'mmx' ? wordBytes(fpu.registers[index].significand) : xmmBytes(fpu.xmm[index]);

const signsOfDwords = ({ fpu }: Running, { index }: Operand): number[] => {
  const { lo, hi } = fpu.xmm[index];
  return [lo.lo >>> 31, lo.hi >>> 31, hi.lo >>> 31, hi.hi >>> 31];
};
const signsOfQwords = ({ fpu }: Running, { index }: Operand): number[] => [signBit(fpu.xmm[index].lo, 8), signBit(fpu.xmm[index].hi, 8)];

/** PINSRW: an element of the register becomes the low word of the source. */
const pinsrwRule: Semantics = (s, i) => {
  const value = read(s, i, i.src).lo & 0xffff;
  const place = i.third.value.lo;
  if (i.dst.kind === 'mmx') {
    const elements = wordElements(s.fpu.registers[i.dst.index].significand);
    elements[place & 3] = value;
    return completed(s, i, { fpu: withMmx(s.fpu, i.dst.index, fromElements(elements)) });
  }
  const elements = xmmElements(s.fpu.xmm[i.dst.index]);
  elements[place & 7] = value;
  return completed(s, i, { fpu: withXmm(s.fpu, i.dst.index, xmmFromElements(elements)) });
};

/** PEXTRW: an element, zero-extended. */
const pextrwRule: Semantics = (s, i) => {
  const place = i.third.value.lo;
  const { index, kind } = i.src;
  const element = kind === 'mmx' ? wordElements(s.fpu.registers[index].significand)[place & 3] : xmmElements(s.fpu.xmm[index])[place & 7];
  return giveOut(s, i, new Word(0, element), touched(s.fpu, i.src));
};

/** PEXTRB, PEXTRD, PEXTRQ, EXTRACTPS: an element of as many bytes as `width` says. */
const extractRule =
  (width: (i: Instruction) => number): Semantics =>
  (s, i) => {
    const bytes = width(i);
    const at = ((i.third.value.lo & 0xff) * bytes) & 15;
    const list = xmmBytes(s.fpu.xmm[i.src.index]).slice(at, at + bytes);
    return giveOut(s, i, wordOf([...list, ...new Array<number>(8 - bytes).fill(0)]), s.fpu);
  };

/** PINSRB, PINSRD, PINSRQ. */
const insertRule =
  (width: (i: Instruction) => number): Semantics =>
  (s, i) => {
    const bytes = width(i);
    const at = ((i.third.value.lo & 0xff) * bytes) & 15;
    const list = xmmBytes(s.fpu.xmm[i.dst.index]);
    for (const [n, byte] of wordBytes(read(s, i, i.src))
      .slice(0, bytes)
      .entries())
      list[at + n] = byte;
    return completed(s, i, { fpu: withXmm(s.fpu, i.dst.index, xmmOf(list)) });
  };

export const ELEMENT_MOVE_RULES: Rules = {
  movd: movRule,
  movq: movRule,
  movntq: movRule,
  movq2dq: movq2dqRule,
  movdq2q: movdq2qRule,
  emms: emmsRule,
  pmovmskb: maskRule((s, o) => registerBytes(s, o).map((byte) => byte >> 7)),
  movmskps: maskRule(signsOfDwords),
  movmskpd: maskRule(signsOfQwords),
  pinsrw: pinsrwRule,
  pextrw: pextrwRule,
  pextrb: extractRule(() => 1),
  pextrd: extractRule(({ dst }) => dst.bytes),
  extractps: extractRule(() => 4),
  pinsrb: insertRule(() => 1),
  pinsrd: insertRule(({ src }) => src.bytes),
};
