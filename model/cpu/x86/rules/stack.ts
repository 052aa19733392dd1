/** PUSH, POP and their kin. Operands have 64 or 16 bits. */
import type { Memory } from '../../../memory/memory.ts';
import { addInt, type Word, word } from '../../../word/word.ts';
import { AC, ARITHMETIC, DF, ID, NT, RF, setFlags, TF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear } from '../linear.ts';
import { finish, merged, read, writeRegister } from '../operand.ts';
import { probeWrite, pushed, rehearsed, stackSlot, whatRemains } from '../push.ts';
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
  const frame = addInt(s.regs[RSP], -i.size);
  const bottom = addInt(frame, -i.size * level - i.dst.value.lo);
  rehearsed(() => pushFrames(s, i, level, bottom, () => s));
  const memory = pushFrames(s, i, level, bottom, withMemory);
  return advance(s, i, setReg(setReg(s.regs, RSP, bottom), RBP, merged(s.regs[RBP], i.size, frame)), s.flags, memory);
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
        const pointer = readLinear(now, addInt(outer, -i.size * k), i.size, true);
        now = kept(now, pushed(now, addInt(top, -i.size * k), i.size, pointer));
      }
      if (level > 0) now = kept(now, pushed(now, addInt(top, -i.size * level), i.size, addInt(top, -i.size)));
      probeWrite(now, bottom, i.size);
    },
  );
};
