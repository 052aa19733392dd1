/** Near branches. A target that is not canonical is a fault of the branch, which then has done nothing: x86/canonical-branch. */
import { add, addInt, isZero, Word } from '../../../word/word.ts';
import { canonicalTarget } from '../canonical.ts';
import { HOLDS } from '../condition.ts';
import { ZF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import type { Condition } from '../mnemonic.ts';
import { read } from '../operand.ts';
import { pushed, stackSlot } from '../push.ts';
import { jump, nextRip, type Running, type Semantics, setReg, withFlags } from '../running.ts';
import { RCX, RSP } from '../state.ts';

/** Where a branch goes: relative to the next instruction, or to the value of its operand. */
const target = (s: Running, i: Instruction): Word => canonicalTarget(destination(s, i));

const destination = (s: Running, i: Instruction): Word => (i.dst.kind === 'imm' ? add(nextRip(s, i), i.dst.value) : read(s, i, i.dst));

/** JMP. */
export const jmpRule: Semantics = (s, i) => jump(s, target(s, i), s.regs, s.memory);

/** Jcc. */
export const jccRule = (condition: Condition): Semantics => {
  const holds = HOLDS[condition];
  return (s, i) => (holds(s.flags) ? jump(s, target(s, i), s.regs, s.memory) : withFlags(s, i, s.flags));
};

/** CALL: push the address of the next instruction. The target is read before the push, and judged after it. */
export const callRule: Semantics = (s, i) => {
  const to = destination(s, i);
  const top = s.regs[RSP];
  const memory = pushed(s, top, 8, nextRip(s, i));
  return jump(s, canonicalTarget(to), setReg(s.regs, RSP, addInt(top, -8)), memory);
};

/** RET: pop the address; the immediate form then drops that many bytes more. */
export const retRule: Semantics = (s, i) =>
  jump(
    s,
    canonicalTarget(stackSlot(s, 0, 8)),
    setReg(s.regs, RSP, addInt(s.regs[RSP], 8 + (i.row.operands.length === 1 ? i.dst.value.lo : 0))),
    s.memory,
  );

/** The counter of LOOP and of repeated string instructions: RCX, or ECX under a 67 prefix. */
export const counter = (s: Running, i: Instruction): Word => (i.narrow ? new Word(0, s.regs[RCX].lo) : s.regs[RCX]);
export const countedDown = (s: Running, i: Instruction): Word => {
  const less = addInt(s.regs[RCX], -1);
  return i.narrow ? new Word(0, less.lo) : less;
};

/** LOOP, LOOPE, LOOPNE: count down without touching flags; jump unless the counter is zero or ZF is not as wanted. */
export const loopRule =
  (goesOn: (flags: number) => boolean): Semantics =>
  (s, i) => {
    const count = countedDown(s, i);
    const to = !isZero(count) && goesOn(s.flags) ? target(s, i) : nextRip(s, i);
    return jump(s, to, setReg(s.regs, RCX, count), s.memory);
  };
export const zeroSet = (flags: number): boolean => (flags & ZF) !== 0;

/** JRCXZ: jump if the counter is zero. */
export const jrcxzRule: Semantics = (s, i) => jump(s, isZero(counter(s, i)) ? target(s, i) : nextRip(s, i), s.regs, s.memory);
