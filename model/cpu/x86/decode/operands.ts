/** From the operand codes of a row to operands. */
import { NotModelled } from '#spec/failure.ts';
import { CONTROL_REGISTERS, DEBUG_REGISTERS } from '#spec/isa/x86/opcodes.ts';
import { type Size, zeroExtend } from '../../../word/size.ts';
import type { Word } from '../../../word/word.ts';
import { undefinedOpcode } from '../fault.ts';
import { NONE, Operand } from '../instruction.ts';
import { DS, ES, RDI, RSI, SS } from '../state.ts';
import type { Bytes } from './bytes.ts';
import { fixedOperand, NOTHING, plain, register } from './fixed.ts';
import { type ModRm, memoryOperand } from './modrm.ts';
import { type Prefixes, REX } from './prefixes.ts';
import { sizeOf, widthOf } from './width.ts';

const immediate = (size: Size, value: Word): Operand => plain('imm', size, NONE, zeroExtend(value, size));
export const NO_OPERAND = immediate(8, NOTHING);

/** Without REX the byte registers 4 to 7 are the second bytes of the first four. */
const byteRegister = (index: number, rex: number): Operand =>
  rex === 0 && index >= 4 && index < 8 ? plain('high', 1, index - 4) : register(1, index);

const anyRegister = (size: Size, index: number, rex: number): Operand => (size === 1 ? byteRegister(index, rex) : register(size, index));

/** x86/control_register-undefined: the one with this number, if it exists. */
const systemRegister = (index: number, existing: readonly number[]): Operand => {
  if (!existing.includes(index)) throw undefinedOpcode('x86/control_register-undefined');
  return plain('system', 8, index);
};

/** The memory that a string instruction's RSI or RDI points to. */
const stringOperand = (width: Size, base: number, segment: number, { addressSize }: Prefixes): Operand =>
  new Operand('mem', width, NONE, NOTHING, base, 0, segment, addressSize, segment === SS);

/** One operand of a row. Immediates are taken from `bytes`, so operands must be read in the row's order. */
export const readOperand = (code: string, size: Size, bytes: Bytes, prefixes: Prefixes, modrm: ModRm | null, opcode: number): Operand => {
  const fixed = fixedOperand(code, size);
  if (fixed) return fixed;
  if (code === 'sb') return immediate(size, bytes.signed(1));
  return readModrmOperand(code, size, prefixes, modrm) ?? readOther(code, size, bytes, prefixes, opcode);
};

/** Operands that the modrm byte names; null for other codes. */
const readModrmOperand = (code: string, size: Size, prefixes: Prefixes, modrm: ModRm | null): Operand | null => {
  if (modrm === null) return null;
  const { rm, reg } = modrm;
  const width = widthOf(code.slice(1), size);
  const general = sizeOf(width, size);
  const inRm = (kind: 'xmm' | 'mmx', mask: number, whole: number): Operand =>
    rm.kind === 'mem' ? memoryOperand(rm, general, width, prefixes) : plain(kind, general, rm.index & mask, NOTHING, width || whole);
  if (code === 'STi') return plain('st', 8, modrm.byte & 7, NOTHING, 10);
  switch (code[0]) {
    case 'E':
    case 'M':
      return rm.kind === 'mem' ? memoryOperand(rm, general, width, prefixes) : anyRegister(general, rm.index, prefixes.rex);
    case 'R':
      return anyRegister(prefixes.mode === '64' ? general : 4, rm.kind === 'reg' ? rm.index : NONE, prefixes.rex);
    case 'G':
      return anyRegister(general, reg, prefixes.rex);
    case 'S':
      return plain('seg', 2, reg & 7);
    case 'C':
      return systemRegister(reg, CONTROL_REGISTERS);
    case 'D':
      return systemRegister(reg, DEBUG_REGISTERS);
    case 'V':
      return plain('xmm', general, reg, NOTHING, width || 16);
    case 'U':
    case 'W':
      return inRm('xmm', 15, 16);
    case 'P':
      return plain('mmx', general, reg & 7, NOTHING, width || 8);
    case 'N':
    case 'Q':
      return inRm('mmx', 7, 8);
    default:
      return null;
  }
};

/** Operands that the opcode, VEX or the bytes behind modrm name, and those of string instructions. */
const readOther = (code: string, size: Size, bytes: Bytes, prefixes: Prefixes, opcode: number): Operand => {
  const width = sizeOf(widthOf(code.slice(1), size), size);
  switch (code[0]) {
    case 'Z':
      return anyRegister(width, (opcode & 7) | ((prefixes.rex & REX.B) << 3), prefixes.rex);
    case 'B':
      return register(width, prefixes.vex?.register ?? 0);
    case 'I':
      return immediate(width === 8 || code === 'Iz' ? size : width, readImmediate(code, width, bytes));
    case 'J':
      return immediate(8, bytes.signed(width as 1 | 2 | 4));
    case 'O':
      return offsetOperand(width, bytes, prefixes);
    case 'A':
      return farPointer(size, bytes);
    case 'X':
      return stringOperand(width, RSI, dataSegment(prefixes), prefixes);
    case 'Y':
      return stringOperand(width, RDI, ES, prefixes);
    default:
      throw new NotModelled(`instruction/operand-${code}`);
  }
};

const dataSegment = ({ segment }: Prefixes): number => (segment === NONE ? DS : segment);

/** Memory at an offset in the instruction, of the size of addresses. */
const offsetOperand = (width: Size, bytes: Bytes, prefixes: Prefixes): Operand => {
  const { addressSize } = prefixes;
  const offset = addressSize === 8 ? bytes.u64() : zeroExtend(bytes.signed(addressSize), addressSize);
  const segment = dataSegment(prefixes);
  return new Operand('mem', width, NONE, offset, NONE, 0, segment, addressSize, segment === SS);
};

/** A pointer in the instruction: offset first, then the selector. */
const farPointer = (size: Size, bytes: Bytes): Operand => {
  const width = size === 2 ? 2 : 4;
  const offset = zeroExtend(bytes.signed(width), width);
  return plain('far', width, bytes.signed(2).lo & 0xffff, offset);
};

/** `Iv` of 8 bytes is the only 64-bit immediate; all others have at most 32 bits and are sign-extended. */
const readImmediate = (code: string, width: Size, bytes: Bytes): Word =>
  width === 8 ? (code === 'Iv' ? bytes.u64() : bytes.signed(4)) : bytes.signed(width);
