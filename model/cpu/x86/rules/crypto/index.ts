/** AES, SHA and carry-less multiplication: the rule of each, by name. */
import type { Rules } from '../../running.ts';

export const CRYPTO_RULES: Rules = {};
