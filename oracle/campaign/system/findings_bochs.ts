/** Known defects. */
import type { Explanation, Repair } from './repairs.ts';

export const BOCHS_REPAIRS: readonly Repair[] = [];
export const BOCHS_EXPLANATIONS: readonly Explanation[] = [];
