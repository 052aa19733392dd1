/** What the manuals leave undefined after one instruction: exactly what spec/isa/x86/flags.ts and undefined.ts declare, and no more. */
import { FLAGS, type FlagRow, RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES, type Row } from '#spec/isa/x86/opcodes.ts';
import { UNDEFINED_RESULTS, type UndefinedWhen } from '#spec/isa/x86/undefined.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';

export type Mask = {
  /** Bits of RFLAGS that are undefined. */
  readonly flags: number;
  /** Letters of the same flags, in the order of the flag table. */
  readonly letters: string;
  /** The first operand is undefined. */
  readonly destination: boolean;
};

const BITS: Readonly<Record<string, number>> = { O: RFLAGS.OF, S: RFLAGS.SF, Z: RFLAGS.ZF, A: RFLAGS.AF, P: RFLAGS.PF, C: RFLAGS.CF };

export const flagBits = (letters: string): number => [...letters].reduce((sum, letter) => sum | BITS[letter], 0);

/** Size of the first operand in bits. */
const operandBits = (row: Row, c: InstructionCase): number => (row.operands[0]?.endsWith('b') ? 8 : 8 * c.size);

/** The count of a shift or rotate as the processor takes it. */
const maskedCount = (row: Row, c: InstructionCase): number => {
  const last = row.operands.at(-1);
  const count = last === 'CL' ? Number(c.regs[1] & 0xffn) : last === '1' ? 1 : (c.code.at(-1) ?? 0);
  return count & (operandBits(row, c) === 64 ? 63 : 31);
};

const undefinedLetters = (flags: FlagRow, row: Row, c: InstructionCase): string => {
  const { undefined: always = '', count } = flags;
  if (count === undefined) return always;
  const by = maskedCount(row, c);
  const bits = operandBits(row, c);
  if (by === 0) return '';
  if (by > bits && count.undefinedAboveSize !== undefined) return count.undefinedAboveSize;
  const letters = by === 1 ? [...always].filter((letter) => !count.definedForOne.includes(letter)).join('') : always;
  return by >= bits ? letters + (count.undefinedFromSize ?? '') : letters;
};

const holds = (when: UndefinedWhen, row: Row, c: InstructionCase, before: { readonly zf: boolean }): boolean => {
  switch (when) {
    case 'source 0':
      return before.zf;
    case 'operand size 16':
      return c.size === 2;
    case 'masked count above the operand size':
      return maskedCount(row, c) > operandBits(row, c);
  }
};

/** `sourceZero`: the instruction says (ZF) that its source was zero. */
export const maskOf = (c: InstructionCase, sourceZero: boolean): Mask => {
  const row = OPCODES[c.row];
  const flags = FLAGS[row.mnemonic];
  const letters = flags === undefined ? '' : undefinedLetters(flags, row, c);
  const destination = UNDEFINED_RESULTS.some(
    (result) => result.mnemonics.includes(row.mnemonic) && holds(result.when, row, c, { zf: sourceZero }),
  );
  return { flags: flagBits(letters), letters, destination };
};
