/** From the operand codes of a row to operands. */
import { ModelBug } from '#spec/failure.ts';
import { CONTROL_REGISTERS, DEBUG_REGISTERS } from '#spec/isa/x86/opcodes.ts';
import { type Size, zeroExtend } from '../../../word/size.ts';
import { Word } from '../../../word/word.ts';
import { undefinedOpcode } from '../fault.ts';
import { NONE, Operand } from '../instruction.ts';
import { FS, GS, RAX, RCX, RDI, RDX, RSI } from '../state.ts';
import type { Bytes } from './bytes.ts';
import { type ModRm, memoryOperand } from './modrm.ts';
import { type Prefixes, REX } from './prefixes.ts';

const NOTHING = new Word(0, 0);

export const register = (size: Size, index: number): Operand => new Operand('reg', size, index, NOTHING, NONE, 0, 0, false, false);
export const immediate = (size: Size, value: Word): Operand =>
  new Operand('imm', size, NONE, zeroExtend(value, size), NONE, 0, 0, false, false);
export const NO_OPERAND = immediate(8, NOTHING);

/** Without REX the byte registers 4 to 7 are the second bytes of the first four. */
const byteRegister = (index: number, rex: number): Operand =>
  rex === 0 && index >= 4 && index < 8 ? new Operand('high', 1, index - 4, NOTHING, NONE, 0, 0, false, false) : register(1, index);

const anyRegister = (size: Size, index: number, rex: number): Operand => (size === 1 ? byteRegister(index, rex) : register(size, index));

/** Width in bytes of the letters after an operand's kind. */
const widthOf = (letters: string, size: Size): Size => {
  switch (letters) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
      return 4;
    case 'q':
      return 8;
    case 'z':
      return size === 2 ? 2 : 4;
    case 'y':
      return size === 8 ? 8 : 4;
    default:
      return size;
  }
};

/** Operands that need no bytes: registers by name and the constant one. */
const fixedOperand = (code: string, size: Size): Operand | null => {
  switch (code) {
    case 'AL':
      return register(1, RAX);
    case 'CL':
      return register(1, RCX);
    case 'DX':
      return register(2, RDX);
    case 'rAX':
      return register(size, RAX);
    case 'eAX':
      return register(size === 2 ? 2 : 4, RAX);
    case 'FS':
      return new Operand('seg', 2, FS, NOTHING, NONE, 0, 0, false, false);
    case 'GS':
      return new Operand('seg', 2, GS, NOTHING, NONE, 0, 0, false, false);
    case '1':
      return immediate(1, new Word(0, 1));
    default:
      return null;
  }
};

/** x86/control_register-undefined: the one with this number, if it exists. */
const systemRegister = (index: number, existing: readonly number[]): Operand => {
  if (!existing.includes(index)) throw undefinedOpcode('x86/control_register-undefined');
  return new Operand('system', 8, index, NOTHING, NONE, 0, 0, false, false);
};

/** The memory that a string instruction's RSI or RDI points to. */
const stringOperand = (width: Size, base: number, segment: number, narrow: boolean): Operand =>
  new Operand('mem', width, NONE, NOTHING, base, 0, segment, narrow, false);

/** One operand of a row. Immediates are taken from `bytes`, so operands must be read in the row's order. */
export const readOperand = (code: string, size: Size, bytes: Bytes, prefixes: Prefixes, modrm: ModRm | null, opcode: number): Operand => {
  const fixed = fixedOperand(code, size);
  if (fixed) return fixed;
  if (code === 'sb') return immediate(size, bytes.signed(1));
  const width = widthOf(code.slice(1), size);
  switch (code[0]) {
    case 'E':
    case 'M':
    case 'R': {
      const { rm } = modrm as ModRm;
      return rm.kind === 'mem' ? memoryOperand(rm, width, prefixes) : anyRegister(width, rm.index, prefixes.rex);
    }
    case 'G':
      return anyRegister(width, (modrm as ModRm).reg, prefixes.rex);
    case 'S':
      return new Operand('seg', 2, (modrm as ModRm).reg & 7, NOTHING, NONE, 0, 0, false, false);
    case 'C':
      return systemRegister((modrm as ModRm).reg, CONTROL_REGISTERS);
    case 'D':
      return systemRegister((modrm as ModRm).reg, DEBUG_REGISTERS);
    case 'Z':
      return anyRegister(width, (opcode & 7) | ((prefixes.rex & REX.B) << 3), prefixes.rex);
    case 'I':
      return immediate(width === 8 || code === 'Iz' ? size : width, readImmediate(code, width, bytes));
    case 'J':
      return immediate(8, bytes.signed(width as 1 | 2 | 4));
    case 'O':
      return new Operand('mem', width, NONE, readOffset(bytes, prefixes), NONE, 0, prefixes.segment, prefixes.addressSize, false);
    case 'X':
      return stringOperand(width, RSI, prefixes.segment, prefixes.addressSize);
    case 'Y':
      return stringOperand(width, RDI, 0, prefixes.addressSize);
    default:
      throw new ModelBug(`operand code ${code}`);
  }
};

/** `Iv` of 8 bytes is the only 64-bit immediate; all others have at most 32 bits and are sign-extended. */
const readImmediate = (code: string, width: Size, bytes: Bytes): Word =>
  width === 8 ? (code === 'Iv' ? bytes.u64() : bytes.signed(4)) : bytes.signed(width);

const readOffset = (bytes: Bytes, prefixes: Prefixes): Word => (prefixes.addressSize ? new Word(0, bytes.signed(4).lo) : bytes.u64());
