/** Loading and storing segment registers. */
import { ACCESS } from '../../../memory/translate.ts';
import { Word } from '../../../word/word.ts';
import { undefinedOpcode } from '../fault.ts';
import { writeLinear } from '../linear.ts';
import { linearAddress, read, writeRegister } from '../operand.ts';
import { movedStack, pushed, stackSlot } from '../push.ts';
import { advance, completed, type Rules, type Semantics } from '../running.ts';
import { loadSegment } from '../segment_load.ts';
import { CS, GS, RSP } from '../state.ts';

/** x86/segment-undefined: the encodings 6 and 7 name no segment register, and MOV cannot load CS. */
const requireSegment = (index: number, load: boolean): void => {
  if (index > GS || (load && index === CS)) throw undefinedOpcode('x86/segment-undefined');
};

/** MOV from a segment register: a register gets the zero-extended selector, memory always 16 bits. */
const movFromSegRule: Semantics = (s, i) => {
  requireSegment(i.src.index, false);
  const value = new Word(0, s.segments.selectors[i.src.index]);
  if (i.dst.kind === 'mem')
    return advance(s, i, s.regs, s.flags, writeLinear(s, linearAddress(s, i, i.dst, 2, ACCESS.WRITE), 2, value, i.dst.stack));
  return advance(s, i, writeRegister(s.regs, i.dst, value), s.flags, s.memory);
};

/** MOV to a segment register. */
const movToSegRule: Semantics = (s, i) => {
  requireSegment(i.dst.index, true);
  return completed(loadSegment(s, i.dst.index, read(s, i, i.src).lo & 0xffff), i, {});
};

/** PUSH of a segment register: the selector, zero-extended. */
const pushSegRule: Semantics = (s, i) => {
  const top = s.regs[RSP];
  const memory = pushed(s, top, i.size, new Word(0, s.segments.selectors[i.dst.index]));
  return advance(s, i, movedStack(s, -i.size), s.flags, memory);
};

/** POP of a segment register: the low 16 bits of what is popped. */
const popSegRule: Semantics = (s, i) => {
  const loaded = loadSegment(s, i.dst.index, stackSlot(s, 0, i.size).lo & 0xffff);
  return completed(loaded, i, { regs: movedStack(s, i.size) });
};

export const SEGMENT_RULES: Rules = {
  mov_from_seg: movFromSegRule,
  mov_to_seg: movToSegRule,
  push_seg: pushSegRule,
  pop_seg: popSegRule,
};
