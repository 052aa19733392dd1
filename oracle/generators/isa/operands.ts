/** What the operand codes of a row ask for. */
import type { Row } from '#spec/isa/x86/opcodes.ts';
import type { Draft } from './draft.ts';
import { bytesOf, operandValue } from './values.ts';

/** Operand codes that live in the modrm byte. */
const IN_MODRM = /^[EMRGSCD]([bwdqvzyp]|dq)?$/;

export const hasModrm = (row: Row): boolean =>
  row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((code) => IN_MODRM.test(code));

/** Whether r/m may be memory, and must be. */
export const memoryAllowed = (row: Row): 'never' | 'may' | 'must' => {
  if (row.modrm !== undefined || row.mod === 'reg' || row.operands.some((code) => code.startsWith('R'))) return 'never';
  if (row.mod === 'mem' || row.operands.some((code) => code.startsWith('M'))) return 'must';
  return 'may';
};

/** Bytes that the instruction reaches at its memory operand. */
export const memoryWidth = (d: Draft): number => {
  const { row, size } = d;
  if (row.mnemonic === 'cmpxchg8b') return ((d.rex ?? 0) & 8) !== 0 ? 16 : 8;
  const code = row.operands.find((o) => /^[EMOXY]/.test(o)) ?? 'M';
  switch (code.slice(1)) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
      return 4;
    case 'q':
      return 8;
    case 'dq':
      return 16;
    case 'v':
      return size;
    case 'y':
      return size === 8 ? 8 : 4;
    case 'z':
      return size === 2 ? 2 : 4;
    case 'p':
      return (size === 2 ? 2 : 4) + 2;
    default:
      return 1;
  }
};

/** Bytes of an immediate, relative offset or absolute address; 0 for other operand codes. */
export const immediateBytes = (d: Draft, code: string): number => {
  switch (code) {
    case 'Ib':
    case 'sb':
    case 'Jb':
      return 1;
    case 'Iw':
      return 2;
    case 'Iz':
    case 'Jz':
      return d.size === 2 ? 2 : 4;
    case 'Iv':
      return d.size;
    case 'Ob':
    case 'Ov':
      return d.address32 ? 4 : 8;
    default:
      return 0;
  }
};

/** Fill in the immediates that no family has chosen. */
export const chooseImmediates = (d: Draft): void => {
  for (const code of d.row.operands) {
    const bytes = immediateBytes(d, code);
    if (bytes > 0 && !code.startsWith('O')) d.immediate.push(...bytesOf(operandValue(d.s, bytes), bytes));
  }
};
