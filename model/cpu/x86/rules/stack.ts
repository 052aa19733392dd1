/** PUSH, POP, ENTER, LEAVE. The operand size says how much is pushed; how the stack is addressed is push.ts's. */
import type { Memory } from '../../../memory/memory.ts';
import { addInt, type Word } from '../../../word/word.ts';
import { Exit, leavingAs } from '../fault.ts';
import type { Instruction } from '../instruction.ts';
import { finish, merged, read, writeRegister } from '../operand.ts';
import { movedStack, probeWrite, pushed, pushedInTurn, readStack, rehearsed, stackPointer, stackSlot, whatRemains } from '../push.ts';
import { advance, citing, type Rules, type Running, type Semantics, setReg, withMemory, withRegs } from '../running.ts';
import { RBP, RSP } from '../state.ts';

/** The end of an instruction that pushes `value`. */
export const push = (s: Running, i: Instruction, value: Word): Running =>
  advance(s, i, movedStack(s, -i.size), s.flags, pushed(s, s.regs[RSP], i.size, value));

/** PUSH: the value is read before RSP moves, so PUSH RSP stores the old one. */
const pushRule: Semantics = (s, i) => push(s, i, read(s, i, i.dst));

/** POP: RSP moves before the destination's address is formed, and POP RSP leaves the value that was popped. */
const popRule: Semantics = (s, i) => {
  const value = stackSlot(s, 0, i.size);
  const raised = movedStack(s, i.size);
  if (i.dst.kind === 'reg') return advance(s, i, writeRegister(raised, i.dst, value), s.flags, s.memory);
  return finish(withRegs(s, raised), i, i.dst, value);
};

/** LEAVE: RSP ← RBP, RBP ← pop. */
const leaveRule: Semantics = (s, i) => {
  const frame = s.regs[RBP];
  const popped = readStack(s, frame, i.size);
  const lowered = setReg(s.regs, RSP, stackPointer(s, s.regs[RSP], addInt(frame, i.size)));
  return advance(s, i, setReg(lowered, RBP, merged(frame, i.size, popped)), s.flags, s.memory);
};

/**
 * ENTER: push RBP; for nesting level n push n − 1 frame pointers of the outer frames and the new one; RBP ← the new frame,
 * RSP moves down by the space asked for, which must be writable at its end.
 */
const enterRule: Semantics = (s, i) => {
  const level = i.src.value.lo & 31;
  const frame = addInt(s.regs[RSP], -i.size);
  const bottom = addInt(frame, -i.size * level - i.dst.value.lo);
  rehearsed(() => pushFrames(s, i, level, bottom, () => s));
  const memory = pushFrames(s, i, level, bottom, withMemory);
  const lowered = setReg(s.regs, RSP, stackPointer(s, s.regs[RSP], bottom));
  return advance(s, i, setReg(lowered, RBP, merged(s.regs[RBP], i.size, stackPointer(s, s.regs[RSP], frame))), s.flags, memory);
};

/** The memory after RBP, the outer frame pointers as they stand in memory, and the new one are pushed; `kept` is what a push leaves. */
const pushFrames = (s: Running, i: Instruction, level: number, bottom: Word, kept: (now: Running, memory: Memory) => Running): Memory => {
  const [top, outer] = [s.regs[RSP], s.regs[RBP]];
  let now = s;
  return whatRemains(
    s,
    () => now,
    () => {
      now = kept(now, pushed(now, top, i.size, outer));
      for (let k = 1; k < level; k++) {
        const pointer = readStack(now, addInt(outer, -i.size * k), i.size);
        now = kept(now, pushed(now, addInt(top, -i.size * k), i.size, pointer));
      }
      if (level > 0) {
        const frame = stackPointer(s, top, addInt(top, -i.size));
        now = kept(now, pushed(now, addInt(top, -i.size * level), i.size, frame));
      }
      probeWrite(now, bottom, i.size);
    },
  );
};

/** PUSHA: rAX rCX rDX rBX, rSP as it was, rBP rSI rDI. */
const pushaRule: Semantics = (s, i) => {
  const memory = pushedInTurn(s, s.regs[RSP], i.size, s.regs.slice(0, 8));
  return advance(s, i, movedStack(s, -8 * i.size), s.flags, memory);
};

/** POPA: rDI rSI rBP, nothing for rSP, rBX rDX rCX rAX. x86/fault-registers_kept. */
const popaRule: Semantics = (s, i) => {
  let now = s;
  try {
    for (let n = 7; n >= 0; n--) {
      const popped = stackSlot(s, 7 - n, i.size);
      if (n !== RSP) now = withRegs(now, setReg(now.regs, n, merged(now.regs[n], i.size, popped)));
    }
  } catch (thrown) {
    throw thrown instanceof Exit && now !== s ? leavingAs(thrown, citing(now, 'x86/fault-registers_kept')) : thrown;
  }
  return advance(now, i, movedStack(now, 8 * i.size), s.flags, s.memory);
};

export const STACK_RULES: Rules = {
  push: pushRule,
  pop: popRule,
  pusha: pushaRule,
  popa: popaRule,
  enter: enterRule,
  leave: leaveRule,
};
