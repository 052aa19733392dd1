/** Storing segment registers. Loading them: system/load.ts. */
import { ACCESS } from '../../../memory/translate.ts';
import { Word } from '../../../word/word.ts';
import { undefinedOpcode } from '../fault.ts';
import { writeLinear } from '../linear.ts';
import { linearAddress, writeRegister } from '../operand.ts';
import { movedStack, pushed } from '../push.ts';
import { advance, type Rules, type Semantics } from '../running.ts';
import { GS, RSP } from '../state.ts';

/** MOV from a segment register: a register gets the zero-extended selector, memory always 16 bits. x86/segment-undefined. */
const movFromSegRule: Semantics = (s, i) => {
  if (i.src.index > GS) throw undefinedOpcode('x86/segment-undefined');
  const value = new Word(0, s.segments.selectors[i.src.index]);
  if (i.dst.kind === 'mem')
    return advance(s, i, s.regs, s.flags, writeLinear(s, linearAddress(s, i, i.dst, 2, ACCESS.WRITE), 2, value, i.dst.stack));
  return advance(s, i, writeRegister(s.regs, i.dst, value), s.flags, s.memory);
};

/** PUSH of a segment register: the selector, zero-extended. */
const pushSegRule: Semantics = (s, i) => {
  const top = s.regs[RSP];
  const memory = pushed(s, top, i.size, new Word(0, s.segments.selectors[i.dst.index]));
  return advance(s, i, movedStack(s, -i.size), s.flags, memory);
};

export const SEGMENT_RULES: Rules = {
  mov_from_seg: movFromSegRule,
  push_seg: pushSegRule,
};
