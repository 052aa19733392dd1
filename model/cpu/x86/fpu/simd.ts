/** MMX and XMM operands: registers or memory, read and written by the bytes that an instruction uses. */
import { zeroExtend } from '../../../word/size.ts';
import { type Word, ZERO } from '../../../word/word.ts';
import { readPair, writePair } from '../block.ts';
import type { Instruction, Operand } from '../instruction.ts';
import { read, writeMemory } from '../operand.ts';
import { completed, type Running } from '../running.ts';
import { type Fpu, withXmm, type Xmm } from './state.ts';
import { withTop } from './words.ts';

/** All that MMX registers have instead of a sign and an exponent. */
const MMX_TOP = 0xffff;

/** fp/mmx-tags: every MMX instruction but EMMS makes all registers valid, with number 0 on top. */
export const inMmx = (fpu: Fpu): Fpu => ({ ...fpu, tag: 0xff, status: withTop(fpu.status, 0) });

export const withMmx = (fpu: Fpu, index: number, significand: Word): Fpu => {
  const registers = fpu.registers.slice();
  registers[index] = { top: MMX_TOP, significand };
  return { ...inMmx(fpu), registers };
};

/** A whole XMM register, or the bytes of memory that the operand has, zero-extended. */
export const readXmm = (s: Running, i: Instruction, o: Operand): Xmm => {
  if (o.kind === 'xmm') return s.fpu.xmm[o.index];
  return o.bytes === 16 ? readPair(s, i, o) : { lo: read(s, i, o), hi: ZERO };
};

/** An MMX register or eight bytes of memory. */
export const readMmx = (s: Running, i: Instruction, o: Operand): Word =>
  o.kind === 'mmx' ? s.fpu.registers[o.index].significand : read(s, i, o);

/** The low bytes of an XMM register, an MMX register or memory, as many as the operand has (at most eight). */
export const readLow = (s: Running, i: Instruction, o: Operand): Word => {
  if (o.kind === 'xmm') return zeroExtend(s.fpu.xmm[o.index].lo, o.size);
  return o.kind === 'mmx' ? s.fpu.registers[o.index].significand : read(s, i, o);
};

/** Done: the register gets the value. */
export const finishXmm = (s: Running, i: Instruction, index: number, value: Xmm): Running =>
  completed(s, i, { fpu: withXmm(s.fpu, index, value) });
export const finishMmx = (s: Running, i: Instruction, index: number, value: Word): Running =>
  completed(s, i, { fpu: withMmx(s.fpu, index, value) });

/** Done: sixteen bytes of memory get the value. */
export const finishPair = (s: Running, i: Instruction, o: Operand, value: Xmm): Running =>
  completed(s, i, { memory: writePair(s, i, o, value) });
/** Done: at most eight bytes of memory get the value. */
export const finishLow = (s: Running, i: Instruction, o: Operand, value: Word): Running =>
  completed(s, i, { memory: writeMemory(s, i, o, value) });
