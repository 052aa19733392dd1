/** Integer operations on packed elements, in MMX and XMM registers alike: the rule of each, by name. */
import type { Rules } from '../../running.ts';
import { PACKED_ARITHMETIC_RULES } from './arithmetic.ts';
import { COMPARE_AND_LOGIC_RULES } from './compare.ts';
import { ELEMENT_MOVE_RULES } from './move.ts';
import { PACKED_MULTIPLY_RULES } from './multiply.ts';
import { PACK_RULES } from './pack.ts';
import { PACKED_SHIFT_RULES } from './shift.ts';
import { SHUFFLE_RULES } from './shuffle.ts';

export const MMX_RULES: Rules = {
  ...ELEMENT_MOVE_RULES,
  ...PACKED_ARITHMETIC_RULES,
  ...PACKED_MULTIPLY_RULES,
  ...COMPARE_AND_LOGIC_RULES,
  ...PACKED_SHIFT_RULES,
  ...PACK_RULES,
  ...SHUFFLE_RULES,
};
