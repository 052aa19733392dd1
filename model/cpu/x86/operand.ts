/** Reading and writing operands, whatever they are. Values are zero-extended to 64 bits. */
import { ModelBug } from '#spec/failure.ts';
import type { Memory } from '../../memory/memory.ts';
import { ACCESS } from '../../memory/translate.ts';
import { mergeLow, type Size, zeroExtend } from '../../word/size.ts';
import { add, shl, Word } from '../../word/word.ts';
import { type Instruction, NONE, type Operand, RIP_BASE } from './instruction.ts';
import { readLinear, writeLinear } from './linear.ts';
import { advance, nextRip, type Running, replaced, setReg } from './running.ts';
import { segmented } from './segmentation.ts';

/** An address cut to the bytes that it has. */
export const cutAddress = (address: Word, bytes: 2 | 4 | 8): Word =>
  bytes === 8 ? address : new Word(0, bytes === 4 ? address.lo : address.lo & 0xffff);

/** Base + index · scale + displacement, cut to the address size: what LEA gives. */
export const effectiveAddress = (s: Running, i: Instruction, o: Operand): Word => {
  let sum = o.value;
  if (o.base === RIP_BASE) sum = add(sum, nextRip(s, i));
  else if (o.base !== NONE) sum = add(sum, s.regs[o.base]);
  if (o.index !== NONE) sum = add(sum, shl(s.regs[o.index], o.scale));
  return o.addressSize === 8 ? sum : cutAddress(sum, o.addressSize);
};

/** Where `bytes` bytes of a memory operand begin, by default as many as it has. */
export const linearAddress = (s: Running, i: Instruction, o: Operand, bytes: number = o.bytes, access: number = ACCESS.READ): Word =>
  segmented(s, o.segment, effectiveAddress(s, i, o), bytes, access);

const readAs = (s: Running, i: Instruction, o: Operand, access: number): Word => {
  switch (o.kind) {
    case 'reg':
      return zeroExtend(s.regs[o.index], o.size);
    case 'imm':
      return o.value;
    case 'mem':
      return readLinear(s, linearAddress(s, i, o, o.bytes, access), o.size, o.stack, access);
    case 'high':
      return new Word(0, (s.regs[o.index].lo >>> 8) & 0xff);
    case 'seg':
      return new Word(0, s.segments.selectors[o.index]);
    default:
      throw new ModelBug(`operand ${o.kind} of ${i.mnemonic} has no value`);
  }
};

export const read = (s: Running, i: Instruction, o: Operand): Word => readAs(s, i, o, ACCESS.READ);

/** Read what the instruction will write back, with the rights that the write needs. */
export const readToWrite = (s: Running, i: Instruction, o: Operand): Word => readAs(s, i, o, ACCESS.WRITE);

/** A register's new content: 32-bit values clear the upper half, smaller ones keep the rest. */
export const merged = (old: Word, size: Size, value: Word): Word =>
  size >= 4 ? zeroExtend(value, size) : mergeLow(old, value, size as 1 | 2);

/** What the register behind a register operand holds after writing the operand. */
const written = (old: Word, { kind, size }: Operand, value: Word): Word =>
  kind === 'high' ? new Word(old.hi, (old.lo & ~0xff00) | ((value.lo & 0xff) << 8)) : merged(old, size, value);

/** The registers after writing a register operand. */
export const writeRegister = (regs: readonly Word[], o: Operand, value: Word): readonly Word[] =>
  setReg(regs, o.index, written(regs[o.index], o, value));

/** The memory after writing a memory operand. */
export const writeMemory = (s: Running, i: Instruction, o: Operand, value: Word): Memory =>
  writeLinear(s, linearAddress(s, i, o, o.bytes, ACCESS.WRITE), o.size, value, o.stack);

/** The end of most instructions: the value goes to `o`, the flags are `flags`, and execution goes on behind. */
export const finish = (s: Running, i: Instruction, o: Operand, value: Word, flags: number = s.flags): Running =>
  o.kind === 'mem'
    ? advance(s, i, s.regs, flags, writeMemory(s, i, o, value))
    : advance(s, i, replaced(s, o.index, written(s.regs[o.index], o, value)), flags, s.memory);
