/** x87 instructions: the rule of each, by name. */
import type { Rules } from '../../running.ts';

export const X87_RULES: Rules = {};
