/** Operands that an opcode names by itself, and those that are no memory. */
import type { Size } from '../../../word/size.ts';
import { Word } from '../../../word/word.ts';
import { NONE, Operand } from '../instruction.ts';
import { CS, DS, ES, FS, GS, RAX, RCX, RDX, SS } from '../state.ts';

export const NOTHING = new Word(0, 0);

/** An operand that is no memory. */
export const plain = (kind: Operand['kind'], size: Size, index: number, value: Word = NOTHING, bytes: number = size): Operand =>
  new Operand(kind, size, index, value, NONE, 0, DS, 8, false, bytes);

export const register = (size: Size, index: number): Operand => plain('reg', size, index);

const SEGMENTS: ReadonlyMap<string, number> = new Map(Object.entries({ ES, CS, SS, DS, FS, GS }));

/** Registers by name and the constant one; null for other codes. */
export const fixedOperand = (code: string, size: Size): Operand | null => {
  const segment = SEGMENTS.get(code);
  if (segment !== undefined) return plain('seg', 2, segment);
  switch (code) {
    case 'AL':
      return register(1, RAX);
    case 'CL':
      return register(1, RCX);
    case 'AX':
      return register(2, RAX);
    case 'DX':
      return register(2, RDX);
    case 'rAX':
      return register(size, RAX);
    case 'eAX':
      return register(size === 2 ? 2 : 4, RAX);
    case 'XMM0':
      return plain('xmm', 8, 0, NOTHING, 16);
    case 'ST':
      return plain('st', 8, 0, NOTHING, 10);
    case '1':
      return plain('imm', 1, NONE, new Word(0, 1));
    default:
      return null;
  }
};
