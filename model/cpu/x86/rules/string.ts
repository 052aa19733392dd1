/**
 * String instructions. x86/rep-iteration: with a REP prefix one step is one iteration, and RIP stays until the last one.
 * A fault in the middle leaves the counter and the pointers as the iterations before it made them.
 */
import { type Size, zeroExtend } from '../../../word/size.ts';
import { addInt, isZero, sub, type Word } from '../../../word/word.ts';
import { DF, subFlags, ZF } from '../flags.ts';
import type { Instruction, Operand } from '../instruction.ts';
import { cutAddress, merged, read, writeMemory, writeRegister } from '../operand.ts';
import { citing, nextRip, type Rules, Running, type Semantics, setReg, withFlags } from '../running.ts';
import { RCX, RDI, RSI } from '../state.ts';
import { countedDown, counter } from './branch.ts';

/** What one iteration did, RIP aside. */
type Iteration = (s: Running, i: Instruction) => Running;

/** The pointer behind (or, with DF, before) the element, as wide as addresses are. */
const stepped = (s: Running, i: Instruction, pointer: number, size: Size): Word => {
  const next = addInt(s.regs[pointer], (s.flags & DF) !== 0 ? -size : size);
  return merged(s.regs[pointer], i.addressSize, next);
};

/** A string instruction from its iteration; `stopsOnZero`: ZF has a say too. */
export const repeated =
  (iteration: Iteration, stopsOnZero: boolean): Semantics =>
  (s, i) => {
    if (i.rep === 'none') {
      const after = iteration(s, i);
      return at(after, after.regs, nextRip(s, i));
    }
    if (isZero(counter(s, i))) return withFlags(s, i, s.flags);
    const count = countedDown(s, i);
    const after = iteration(citing(s, 'x86/rep-iteration'), i);
    const more = !isZero(cutAddress(count, i.addressSize)) && (!stopsOnZero || ((after.flags & ZF) !== 0) === (i.rep === 'rep'));
    return at(after, setReg(after.regs, RCX, count), more ? s.rip : nextRip(s, i));
  };

/** The registers with a pointer moved on by one element. */
export const pointerMoved = (s: Running, i: Instruction, pointer: number, size: Size): readonly Word[] =>
  setReg(s.regs, pointer, stepped(s, i, pointer, size));

const at = (s: Running, regs: readonly Word[], rip: Word): Running =>
  new Running(regs, rip, s.flags, s.segments, s.memory, s.platform, s.tick + 1, s.cited, s.fpu, s.system);

/** The state after one iteration. */
export const result = (s: Running, regs: readonly Word[], flags: number, memory = s.memory): Running =>
  new Running(regs, s.rip, flags, s.segments, memory, s.platform, s.tick, s.cited, s.fpu, s.system);

const compareFlags = (s: Running, a: Word, b: Word, { size }: Operand): number =>
  subFlags(s.flags, a, b, zeroExtend(sub(a, b), size), size);

/** MOVS: [RDI] ← [RSI]. */
const movsRule = repeated((s, i) => {
  const memory = writeMemory(s, i, i.dst, read(s, i, i.src));
  const regs = s.regs.slice();
  regs[RSI] = stepped(s, i, RSI, i.dst.size);
  regs[RDI] = stepped(s, i, RDI, i.dst.size);
  return result(s, regs, s.flags, memory);
}, false);

/** STOS: [RDI] ← rAX. */
const stosRule = repeated((s, i) => {
  const memory = writeMemory(s, i, i.dst, read(s, i, i.src));
  return result(s, setReg(s.regs, RDI, stepped(s, i, RDI, i.dst.size)), s.flags, memory);
}, false);

/** LODS: rAX ← [RSI]. */
const lodsRule = repeated((s, i) => {
  const regs = writeRegister(s.regs, i.dst, read(s, i, i.src));
  return result(s, setReg(regs, RSI, stepped(s, i, RSI, i.dst.size)), s.flags);
}, false);

/** CMPS: the flags of [RSI] − [RDI]. Both vendors' processors reach [RDI] first. */
const cmpsRule = repeated((s, i) => {
  const subtrahend = read(s, i, i.src);
  const flags = compareFlags(s, read(s, i, i.dst), subtrahend, i.dst);
  const regs = setReg(setReg(s.regs, RSI, stepped(s, i, RSI, i.dst.size)), RDI, stepped(s, i, RDI, i.dst.size));
  return result(s, regs, flags);
}, true);

/** SCAS: the flags of rAX − [RDI]. */
const scasRule = repeated((s, i) => {
  const flags = compareFlags(s, read(s, i, i.dst), read(s, i, i.src), i.dst);
  return result(s, setReg(s.regs, RDI, stepped(s, i, RDI, i.dst.size)), flags);
}, true);

export const STRING_RULES: Rules = {
  movs: movsRule,
  cmps: cmpsRule,
  stos: stosRule,
  lods: lodsRule,
  scas: scasRule,
};
