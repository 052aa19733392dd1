/**
 * System instructions: the rule of each, by name. Those that a PV guest may use as well (far transfers, INT, MOV to a segment register,
 * …) have a rule here for the machine without a hypervisor; the guest's stands in semantics.ts.
 */
import type { Rules } from '../running.ts';

export const SYSTEM_RULES: Rules = {};
