import type { Row } from '#spec/isa/x86/opcodes.ts';
import { ABSOLUTE_FAMILY, ARITHMETIC_FAMILY } from './arithmetic.ts';
import { CONDITIONAL_FAMILY, CONTROL_FAMILY } from './control.ts';
import type { Family } from './family.ts';
import { STACK_FAMILY } from './stack.ts';
import { STRING_FAMILY } from './strings.ts';
import { NUMBERS_FAMILY, STACK_NUMBERS_FAMILY, VECTOR_FAMILY } from './vectors.ts';

const BY_MNEMONIC: Readonly<Record<string, Family>> = {
  ...STACK_FAMILY,
  ...STRING_FAMILY,
  ...ARITHMETIC_FAMILY,
  ...CONTROL_FAMILY,
  ...VECTOR_FAMILY,
};
const NONE: Family = {};

/** The family of a row; most need none. */
export const familyOf = (row: Row): Family => {
  if (row.operands.some((code) => code.startsWith('O'))) return ABSOLUTE_FAMILY;
  const known = BY_MNEMONIC[row.mnemonic];
  if (known !== undefined) return known;
  if (row.state === 'x87' || row.state === 'x87_nowait') return STACK_NUMBERS_FAMILY;
  if (row.state === 'mmx' || row.state === 'sse') return NUMBERS_FAMILY;
  return row.operands[0]?.startsWith('J') ? CONDITIONAL_FAMILY : NONE;
};
