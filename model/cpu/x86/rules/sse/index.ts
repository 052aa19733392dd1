/** SSE instructions beyond the packed integers of MMX (rules/mmx): the rule of each, by name. */
import type { Rules } from '../../running.ts';
import { SSE_ARITHMETIC_RULES } from './arithmetic.ts';
import { CONVERT_RULES } from './convert.ts';
import { HORIZONTAL_RULES } from './horizontal.ts';
import { SSE_INTEGER_RULES } from './integer.ts';
import { SSE_MOVE_RULES } from './move.ts';
import { SAVE_RULES } from './save.ts';
import { STRING_RULES } from './string.ts';
import { XSAVE_RULES } from './xsave.ts';

export const SSE_RULES: Rules = {
  ...SSE_MOVE_RULES,
  ...SSE_ARITHMETIC_RULES,
  ...HORIZONTAL_RULES,
  ...CONVERT_RULES,
  ...SSE_INTEGER_RULES,
  ...STRING_RULES,
  ...SAVE_RULES,
  ...XSAVE_RULES,
};
