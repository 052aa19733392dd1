/** BOUND, INTO, SALC, ARPL, and far pointers for data. */
import { mergeLow, type Size, signExtend } from '../../../word/size.ts';
import { addInt, less, Word } from '../../../word/word.ts';
import { boundRange, trap } from '../fault.ts';
import { CF, OF, ZF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { readLinear } from '../linear.ts';
import { cutAddress, effectiveAddress, finish, read, writeRegister } from '../operand.ts';
import { VECTOR } from '../outcome.ts';
import { advance, completed, type Rules, type Running, type Semantics, setReg, withFlags } from '../running.ts';
import { loadSegment } from '../segment_load.ts';
import { segmented } from '../segmentation.ts';
import { DS, ES, FS, GS, RAX, SS } from '../state.ts';

/** Part of a memory operand of several parts, `from` bytes behind its address. */
const part = (s: Running, i: Instruction, from: number, size: Size): Word => {
  const { src } = i;
  const at = cutAddress(addInt(effectiveAddress(s, i, src), from), src.addressSize);
  return readLinear(s, segmented(s, src.segment, at, size), size, src.stack);
};

/** BOUND: x86/bound-range unless the two signed bounds in memory enclose the register's value. */
const boundRule: Semantics = (s, i) => {
  const index = signExtend(read(s, i, i.dst), i.size);
  const lower = signExtend(part(s, i, 0, i.size), i.size);
  const upper = signExtend(part(s, i, i.size, i.size), i.size);
  if (less(index, lower) || less(upper, index)) throw boundRange();
  return withFlags(s, i, s.flags);
};

/** INTO: #OF behind the instruction when OF is set. */
const intoRule: Semantics = (s, i) => {
  const after = withFlags(s, i, s.flags);
  if ((s.flags & OF) !== 0) throw trap(after, VECTOR.OF, null);
  return after;
};

/** SALC: every bit of AL ← CF. */
const salcRule: Semantics = (s, i) => {
  const al = new Word(0, (s.flags & CF) !== 0 ? 0xff : 0);
  return advance(s, i, setReg(s.regs, RAX, mergeLow(s.regs[RAX], al, 1)), s.flags, s.memory);
};

const RPL = 3;

/** ARPL: raise DEST's RPL to SRC's; ZF tells whether it was lower. Only then DEST is written, and must be writable. */
const arplRule: Semantics = (s, i) => {
  const selector = read(s, i, i.dst);
  const wanted = read(s, i, i.src).lo & RPL;
  if ((selector.lo & RPL) >= wanted) return withFlags(s, i, s.flags & ~ZF);
  return finish(s, i, i.dst, new Word(0, (selector.lo & ~RPL) | wanted), s.flags | ZF);
};

/** LES LDS LSS LFS LGS: a segment register and DEST ← the far pointer in memory. REX.W leaves its offset at 32 bits. */
const loadPointerRule =
  (register: number): Semantics =>
  (s, i) => {
    const bytes = i.size === 2 ? 2 : 4;
    const offset = part(s, i, 0, bytes);
    const selector = part(s, i, bytes, 2).lo;
    return completed(loadSegment(s, register, selector), i, { regs: writeRegister(s.regs, i.dst, offset) });
  };

export const MISCELLANEOUS_RULES: Rules = {
  les: loadPointerRule(ES),
  lds: loadPointerRule(DS),
  lss: loadPointerRule(SS),
  lfs: loadPointerRule(FS),
  lgs: loadPointerRule(GS),
  bound: boundRule,
  into: intoRule,
  salc: salcRule,
  arpl: arplRule,
};
