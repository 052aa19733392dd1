/** Instructions that write two places: XCHG, XADD, CMPXCHG and its wide forms. */

import { ACCESS } from '../../../memory/translate.ts';
import { zeroExtend } from '../../../word/size.ts';
import { add, equal, isZero, sub, Word } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { addFlags, setFlags, subFlags, ZF } from '../flags.ts';
import type { Instruction, Operand } from '../instruction.ts';
import { readLinear, writeLinear } from '../linear.ts';
import { finish, linearAddress, merged, read, readToWrite, writeMemory, writeRegister } from '../operand.ts';
import { advance, type Rules, type Running, type Semantics, setReg, withMemory } from '../running.ts';
import { RAX, RBX, RCX, RDX } from '../state.ts';

/** Write the source register first, then the destination: for one register in both roles the destination's value stays. */
const writeBoth = (s: Running, i: Instruction, dst: Word, src: Word, flags: number): Running => {
  const regs = writeRegister(s.regs, i.src, src);
  if (i.dst.kind === 'mem') return advance(s, i, regs, flags, writeMemory(s, i, i.dst, dst));
  return advance(s, i, writeRegister(regs, i.dst, dst), flags, s.memory);
};

/** XCHG: DEST ↔ SRC. No flags. */
const xchgRule: Semantics = (s, i) => {
  const a = readToWrite(s, i, i.dst);
  return writeBoth(s, i, read(s, i, i.src), a, s.flags);
};

/** XADD: SRC ← DEST, DEST ← DEST + SRC. OF SF ZF AF PF CF by the sum. */
const xaddRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const sum = zeroExtend(add(a, b), size);
  return writeBoth(s, i, sum, a, addFlags(s.flags, a, b, sum, size));
};

/**
 * CMPXCHG: if rAX = DEST then DEST ← SRC, else rAX ← DEST. Flags of rAX − DEST. A memory destination counts as written
 * either way.
 */
const cmpxchgRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const old = readToWrite(s, i, i.dst);
  const wanted = zeroExtend(s.regs[RAX], size);
  const difference = zeroExtend(sub(wanted, old), size);
  const flags = subFlags(s.flags, wanted, old, difference, size);
  if (isZero(difference)) return finish(s, i, i.dst, read(s, i, i.src), flags);
  return advance(s, i, setReg(s.regs, RAX, merged(s.regs[RAX], size, old)), flags, rewritten(s, i, i.dst, old));
};

const rewritten = (s: Running, i: Instruction, o: Operand, value: Word) => (o.kind === 'mem' ? writeMemory(s, i, o, value) : s.memory);

/** CMPXCHG8B: if EDX:EAX = m64 then m64 ← ECX:EBX, ZF ← 1, else EDX:EAX ← m64, ZF ← 0. With REX.W, CMPXCHG16B. */
const cmpxchg8bRule: Semantics = (s, i) => (i.size === 8 ? compareSixteen(s, i) : compareEight(s, i));

const compareEight: Semantics = (s, i) => {
  const at = linearAddress(s, i, i.dst, 8, ACCESS.WRITE);
  const old = readLinear(s, at, 8, i.dst.stack, ACCESS.WRITE);
  const same = old.hi === s.regs[RDX].lo && old.lo === s.regs[RAX].lo;
  const value = same ? new Word(s.regs[RCX].lo, s.regs[RBX].lo) : old;
  const memory = writeLinear(s, at, 8, value, i.dst.stack);
  const regs = same ? s.regs : setReg(setReg(s.regs, RAX, new Word(0, old.lo)), RDX, new Word(0, old.hi));
  return advance(s, i, regs, setFlags(s.flags, ZF, same ? ZF : 0), memory);
};

/** x86/cmpxchg16b-aligned: the sixteen bytes must be aligned. */
const compareSixteen: Semantics = (s, i) => {
  const at = linearAddress(s, i, i.dst, 16, ACCESS.WRITE);
  if ((at.lo & 15) !== 0) throw generalProtection(0, 'x86/cmpxchg16b-aligned');
  const above = new Word(at.hi, at.lo + 8);
  const low = readLinear(s, at, 8, i.dst.stack, ACCESS.WRITE);
  const high = readLinear(s, above, 8, i.dst.stack, ACCESS.WRITE);
  const same = equal(low, s.regs[RAX]) && equal(high, s.regs[RDX]);
  const first = writeLinear(s, at, 8, same ? s.regs[RBX] : low, i.dst.stack);
  const memory = writeLinear(withMemory(s, first), above, 8, same ? s.regs[RCX] : high, i.dst.stack);
  const regs = same ? s.regs : setReg(setReg(s.regs, RAX, low), RDX, high);
  return advance(s, i, regs, setFlags(s.flags, ZF, same ? ZF : 0), memory);
};

export const EXCHANGE_RULES: Rules = {
  xchg: xchgRule,
  cmpxchg: cmpxchgRule,
  cmpxchg8b: cmpxchg8bRule,
  xadd: xaddRule,
};
