/** MMX instructions: the rule of each, by name. */
import type { Rules } from '../../running.ts';

export const MMX_RULES: Rules = {};
