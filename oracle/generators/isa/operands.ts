/** What the operand codes of a row ask for. */
import type { Row } from '#spec/isa/x86/opcodes.ts';
import type { Draft } from './draft.ts';
import { bytesOf, operandValue } from './values.ts';

/** Operand codes that live in the modrm byte. */
const IN_MODRM = /^([EMRGSCDVWUPQN]([bwdqvzypat]|dq)?|STi)$/;

export const hasModrm = (row: Row): boolean =>
  row.ext !== undefined || row.modrm !== undefined || row.mod !== undefined || row.operands.some((code) => IN_MODRM.test(code));

/** Whether r/m may be memory, and must be. */
export const memoryAllowed = (row: Row): 'never' | 'may' | 'must' => {
  if (row.modrm !== undefined || row.mod === 'reg' || row.operands.some((code) => /^[RUN]/.test(code) || code === 'STi')) return 'never';
  if (row.mod === 'mem' || row.operands.some((code) => code.startsWith('M'))) return 'must';
  return 'may';
};

/** Bytes that operands without a width have. */
const MEMORY_BYTES: Readonly<Record<string, (d: Draft) => number>> = {
  fxsave: () => 512,
  fxrstor: () => 512,
  xsave: () => 576,
  xrstor: () => 576,
  xsaveopt: () => 576,
  xsavec: () => 576,
  fldenv: (d) => (d.size === 2 ? 14 : 28),
  fnstenv: (d) => (d.size === 2 ? 14 : 28),
  frstor: (d) => (d.size === 2 ? 94 : 108),
  fnsave: (d) => (d.size === 2 ? 94 : 108),
  sgdt: (d) => (d.mode === '64' ? 10 : 6),
  sidt: (d) => (d.mode === '64' ? 10 : 6),
};

/** Bytes that the instruction reaches at its memory operand. */
export const memoryWidth = (d: Draft): number => {
  const { row, size } = d;
  if (row.mnemonic === 'cmpxchg8b') return ((d.rex ?? 0) & 8) !== 0 ? 16 : 8;
  if (row.operands.includes('M')) return MEMORY_BYTES[row.mnemonic]?.(d) ?? 1;
  const code = row.operands.find((o) => /^[EMOXYWQ]/.test(o)) ?? 'M';
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
    case 't':
      return 10;
    case 'a':
      return 2 * size;
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
      return d.addressBytes;
    case 'Ap':
      return (d.size === 2 ? 2 : 4) + 2;
    default:
      return 0;
  }
};

/** Fill in the immediates that no family has chosen. */
export const chooseImmediates = (d: Draft): void => {
  for (const code of d.row.operands) {
    const bytes = immediateBytes(d, code);
    if (code === 'Iw' && d.row.mnemonic.endsWith('trq')) d.immediate.push(d.s.below(72), d.s.below(72));
    else if (bytes > 0 && !code.startsWith('O'))
      d.immediate.push(...bytesOf(d.s.one(3) ? d.s.bits64() : operandValue(d.s, Math.min(8, 2 ** Math.ceil(Math.log2(bytes)))), bytes));
  }
};
