/** PUSH, POP and their kin. Operands have 64 or 16 bits. */
import type { Memory } from '../../../memory/memory.ts';
import { addInt, type Word, word } from '../../../word/word.ts';
import { AC, ARITHMETIC, DF, ID, NT, RF, setFlags, TF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear } from '../linear.ts';
import { finish, merged, read, writeRegister } from '../operand.ts';
import { probeWrite, pushed, stackSlot } from '../push.ts';
import { advance, type Running, type Semantics, setReg, withMemory, withRegs } from '../running.ts';
import { RBP, RSP } from '../state.ts';

const push = (s: Running, i: Instruction, value: Word): Running => {
  const top = s.regs[RSP];
  return advance(s, i, setReg(s.regs, RSP, addInt(top, -i.size)), s.flags, pushed(s, top, i.size, value));
};

/** PUSH: the value is read before RSP moves, so PUSH RSP stores the old one. */
export const pushRule: Semantics = (s, i) => push(s, i, read(s, i, i.dst));

/** POP: RSP moves before the destination's address is formed, and POP RSP leaves the value that was popped. */
export const popRule: Semantics = (s, i) => {
  const value = stackSlot(s, 0, i.size);
  const raised = setReg(s.regs, RSP, addInt(s.regs[RSP], i.size));
  if (i.dst.kind === 'reg') return advance(s, i, writeRegister(raised, i.dst, value), s.flags, s.memory);
  return finish(withRegs(s, raised), i, i.dst, value);
};

/** Flags that ring 3 may change with POPF and IRET. The 16-bit forms reach those below bit 16. */
export const changeableFlags = (size: number): number => ARITHMETIC | TF | DF | NT | (size === 2 ? 0 : AC | ID);

/** PUSHF: RFLAGS, with RF clear. */
export const pushfRule: Semantics = (s, i) => push(s, i, word(0, i.size === 2 ? s.flags & 0xffff : s.flags & ~RF));

/** POPF: IF and IOPL are not ring 3's to change; nothing says so to the guest. */
export const popfRule: Semantics = (s, i) => {
  const popped = stackSlot(s, 0, i.size).lo;
  const mask = changeableFlags(i.size);
  return advance(s, i, setReg(s.regs, RSP, addInt(s.regs[RSP], i.size)), setFlags(s.flags, mask, popped & mask), s.memory);
};

/** LEAVE: RSP ← RBP, RBP ← pop. */
export const leaveRule: Semantics = (s, i) => {
  const frame = s.regs[RBP];
  const popped = readLinear(s, frame, i.size, true);
  return advance(s, i, setReg(setReg(s.regs, RSP, addInt(frame, i.size)), RBP, merged(frame, i.size, popped)), s.flags, s.memory);
};

/**
 * ENTER: push RBP; for nesting level n push n − 1 frame pointers of the outer frames and the new one; RBP ← the new frame,
 * RSP moves down by the space asked for, which must be writable at its end.
 */
export const enterRule: Semantics = (s, i) => {
  const level = i.src.value.lo & 31;
  const top = s.regs[RSP];
  const frame = addInt(top, -i.size);
  const bottom = addInt(frame, -i.size * level - i.dst.value.lo);
  for (let k = 1; k <= level + 1; k++) probeWrite(s, addInt(top, -i.size * k), i.size);
  probeWrite(s, bottom, i.size);
  const memory = level === 0 ? pushed(s, top, i.size, s.regs[RBP]) : pushDisplay(s, i, frame, level);
  return advance(s, i, setReg(setReg(s.regs, RSP, bottom), RBP, merged(s.regs[RBP], i.size, frame)), s.flags, memory);
};

/** RBP, the outer frame pointers as they stand in memory, and the new frame pointer. */
const pushDisplay = (s: Running, i: Instruction, frame: Word, level: number): Memory => {
  const outer = (now: Running, k: number): Word => readLinear(now, addInt(s.regs[RBP], -i.size * k), i.size, true);
  for (let k = 1; k < level; k++) outer(s, k);
  let now = withMemory(s, pushed(s, addInt(frame, i.size), i.size, s.regs[RBP]));
  for (let k = 1; k < level; k++) now = withMemory(now, pushed(now, addInt(frame, -i.size * (k - 1)), i.size, outer(now, k)));
  return pushed(now, addInt(frame, -i.size * (level - 1)), i.size, frame);
};
