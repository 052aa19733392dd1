/** SSE instructions, the first to 4.2, with FXSAVE and XSAVE: the rule of each, by name. */
import type { Rules } from '../../running.ts';

export const SSE_RULES: Rules = {};
