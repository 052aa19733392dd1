/** Division. A divisor of zero and a quotient that does not fit raise #DE; all flags are undefined: x86/undefined-flags_clear. */
import { type Division, divideSigned, divideUnsigned } from '../../../word/divide.ts';
import type { Wide } from '../../../word/multiply.ts';
import { type Size, signExtend, zeroExtend } from '../../../word/size.ts';
import { equal, or, sar, shl, type Word, ZERO } from '../../../word/word.ts';
import { divideError } from '../fault.ts';
import { ARITHMETIC } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { read } from '../operand.ts';
import { advance, citing, type Rules, type Running, type Semantics } from '../running.ts';
import { RAX, RDX } from '../state.ts';
import { toPair } from './multiply.ts';

/** AX, or rDX:rAX, as a word; 64-bit operands have their upper half beside it. */
const dividendWord = (s: Running, size: Size): Word => {
  if (size === 8) return s.regs[RAX];
  if (size === 1) return zeroExtend(s.regs[RAX], 2);
  return or(zeroExtend(s.regs[RAX], size), shl(zeroExtend(s.regs[RDX], size), 8 * size));
};

const unsignedDividend = (s: Running, size: Size): Wide => ({ high: size === 8 ? s.regs[RDX] : ZERO, low: dividendWord(s, size) });

const signedDividend = (s: Running, size: Size): Wide => {
  if (size === 8) return { high: s.regs[RDX], low: s.regs[RAX] };
  const low = size === 4 ? dividendWord(s, size) : signExtend(dividendWord(s, size), size === 1 ? 2 : 4);
  return { high: sar(low, 63), low };
};

/** rAX ← quotient, rDX ← remainder; for bytes AL and AH. */
const divided = (s: Running, i: Instruction, { quotient, remainder }: Division): Running => {
  const regs = toPair(s.regs, i.dst.size, quotient, remainder);
  return advance(citing(s, 'x86/undefined-flags_clear'), i, regs, s.flags & ~ARITHMETIC, s.memory);
};

/** DIV: unsigned. */
const divRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const result = divideUnsigned(unsignedDividend(s, size), read(s, i, i.dst));
  if (!result || !equal(zeroExtend(result.quotient, size), result.quotient)) throw divideError();
  return divided(s, i, result);
};

/** IDIV: signed, towards zero. */
const idivRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const result = divideSigned(signedDividend(s, size), signExtend(read(s, i, i.dst), size));
  if (!result || !equal(signExtend(result.quotient, size), result.quotient)) throw divideError();
  return divided(s, i, result);
};

export const DIVIDE_RULES: Rules = {
  div: divRule,
  idiv: idivRule,
};
