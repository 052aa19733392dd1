/** BOUND, INTO, SALC. */
import { mergeLow, type Size, signExtend } from '../../../word/size.ts';
import { addInt, less, Word } from '../../../word/word.ts';
import { boundRange, trap } from '../fault.ts';
import { CF, OF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear } from '../linear.ts';
import { cutAddress, effectiveAddress, read } from '../operand.ts';
import { VECTOR } from '../outcome.ts';
import { advance, type Rules, type Running, type Semantics, setReg, withFlags } from '../running.ts';
import { segmented } from '../segmentation.ts';
import { RAX } from '../state.ts';

/** Part of a memory operand of several parts, `from` bytes behind its address. */
const part = (s: Running, i: Instruction, from: number, size: Size): Word => {
  const { src } = i;
  const at = cutAddress(addInt(effectiveAddress(s, i, src), from), src.addressSize);
  return readLinear(s, segmented(s, src.segment, at, size), size, src.stack);
};

/** BOUND: x86/bound-range unless the two signed bounds in memory enclose the register's value. */
const boundRule: Semantics = (s, i) => {
  const index = signExtend(read(s, i, i.dst), i.size);
  const lower = signExtend(part(s, i, 0, i.size), i.size);
  const upper = signExtend(part(s, i, i.size, i.size), i.size);
  if (less(index, lower) || less(upper, index)) throw boundRange();
  return withFlags(s, i, s.flags);
};

/** INTO: #OF behind the instruction when OF is set. */
const intoRule: Semantics = (s, i) => {
  const after = withFlags(s, i, s.flags);
  if ((s.flags & OF) !== 0) throw trap(after, VECTOR.OF, null);
  return after;
};

/** SALC: every bit of AL ← CF. */
const salcRule: Semantics = (s, i) => {
  const al = new Word(0, (s.flags & CF) !== 0 ? 0xff : 0);
  return advance(s, i, setReg(s.regs, RAX, mergeLow(s.regs[RAX], al, 1)), s.flags, s.memory);
};

export const MISCELLANEOUS_RULES: Rules = {
  bound: boundRule,
  into: intoRule,
  salc: salcRule,
};
