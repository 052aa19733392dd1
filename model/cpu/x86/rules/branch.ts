/**
 * Near branches. A target that is not canonical, or outside 64-bit mode one behind the limit of CS, is a fault of the branch, which then
 * has done nothing: x86/canonical-branch, x86/branch-limit.
 */
import type { Memory } from '../../../memory/memory.ts';
import { zeroExtend } from '../../../word/size.ts';
import { add, addInt, isZero, type Word } from '../../../word/word.ts';
import { forConditions, HOLDS } from '../condition.ts';
import { ZF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import type { Condition } from '../mnemonic.ts';
import { cutAddress, merged, read } from '../operand.ts';
import { movedStack, pushed, stackSlot } from '../push.ts';
import { citing, jump as goTo, nextRip, type Rules, type Running, type Semantics, setReg, withFlags } from '../running.ts';
import { reachable } from '../segmentation.ts';
import { RCX, RSP } from '../state.ts';

/** On at `rip`, or where a prefix 66 makes of it. */
const jump = (s: Running, i: Instruction, rip: Word, regs: readonly Word[], memory: Memory): Running =>
  goTo(i.size === 2 && s.system.mode === '64' ? citing(s, 'x86/branch-short_operand') : s, rip, regs, memory);

/** Where a branch goes: relative to the next instruction, or to the value of its operand. */
const target = (s: Running, i: Instruction): Word => reachable(s, destination(s, i));

/** With a 66 prefix only 16 bits of the target are left. */
const destination = (s: Running, i: Instruction): Word =>
  i.dst.kind === 'imm' ? zeroExtend(add(nextRip(s, i), i.dst.value), i.size) : read(s, i, i.dst);

/** JMP. */
const jmpRule: Semantics = (s, i) => jump(s, i, target(s, i), s.regs, s.memory);

/** Jcc. */
const jccRule = (condition: Condition): Semantics => {
  const holds = HOLDS[condition];
  return (s, i) => (holds(s.flags) ? jump(s, i, target(s, i), s.regs, s.memory) : withFlags(s, i, s.flags));
};

/** CALL: push the address of the next instruction. The target is read before the push, and judged after it. */
const callRule: Semantics = (s, i) => {
  const to = destination(s, i);
  const top = s.regs[RSP];
  const memory = pushed(s, top, i.size, nextRip(s, i));
  return jump(s, i, reachable(s, to), movedStack(s, -i.size), memory);
};

/** RET: pop the address; the immediate form then drops that many bytes more. */
const retRule: Semantics = (s, i) =>
  jump(s, i, reachable(s, stackSlot(s, 0, i.size)), movedStack(s, i.size + (i.row.operands.length === 1 ? i.dst.value.lo : 0)), s.memory);

/** The counter of LOOP and of repeated string instructions: as much of RCX as addresses have bytes. */
export const counter = (s: Running, i: Instruction): Word => cutAddress(s.regs[RCX], i.addressSize);
/** RCX with the counter one less. */
export const countedDown = (s: Running, i: Instruction): Word => merged(s.regs[RCX], i.addressSize, addInt(s.regs[RCX], -1));
const isLast = (i: Instruction, count: Word): boolean => isZero(cutAddress(count, i.addressSize));

/** LOOP: count down without touching flags; jump unless the counter is zero or `goesOn` says no. */
const loopWhile =
  (goesOn: (flags: number, i: Instruction) => boolean): Semantics =>
  (s, i) => {
    const count = countedDown(s, i);
    const to = !isLast(i, count) && goesOn(s.flags, i) ? target(s, i) : nextRip(s, i);
    return goTo(i.rep === 'none' ? s : citing(s, 'x86/loop-repeat'), to, setReg(s.regs, RCX, count), s.memory);
  };
const loopRule = loopWhile(() => true);

/** LOOPE, LOOPNE: jump only with this ZF. F3 asks for ZF = 1 and F2 for ZF = 0 whatever the opcode. */
const loopOnZeroRule = (wanted: boolean): Semantics =>
  loopWhile((flags, { rep }) => ((flags & ZF) !== 0) === (rep === 'none' ? wanted : rep === 'rep'));

/** JRCXZ: jump if the counter is zero. */
const jrcxzRule: Semantics = (s, i) =>
  isZero(counter(s, i)) ? jump(s, i, target(s, i), s.regs, s.memory) : goTo(s, nextRip(s, i), s.regs, s.memory);

export const BRANCH_RULES: Rules = {
  call: callRule,
  jmp: jmpRule,
  ret: retRule,
  loop: loopRule,
  loope: loopOnZeroRule(true),
  loopne: loopOnZeroRule(false),
  jrcxz: jrcxzRule,
  ...forConditions('j', jccRule),
};
