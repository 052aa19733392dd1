/** x87 instructions: the rule of each, by name. */
import type { Rules } from '../../running.ts';
import { ARITHMETIC_RULES } from './arithmetic.ts';
import { COMPARE_RULES } from './compare.ts';
import { CONTROL_RULES } from './control.ts';
import { ENVIRONMENT_RULES } from './environment.ts';
import { EXTRACT_RULES } from './extract.ts';
import { LOAD_RULES } from './load.ts';
import { MOVE_RULES } from './move.ts';
import { STORE_RULES } from './store.ts';
import { TRANSCENDENTAL_RULES } from './transcendental.ts';

export const X87_RULES: Rules = {
  ...LOAD_RULES,
  ...STORE_RULES,
  ...MOVE_RULES,
  ...ARITHMETIC_RULES,
  ...COMPARE_RULES,
  ...EXTRACT_RULES,
  ...TRANSCENDENTAL_RULES,
  ...CONTROL_RULES,
  ...ENVIRONMENT_RULES,
};
