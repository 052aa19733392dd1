/** AES, carry-less products, SHA and GFNI: the rule of each, by name. */
import type { Rules } from '../../running.ts';
import { AES_RULES } from './aes.ts';
import { GFNI_RULES } from './gfni.ts';
import { SHA_RULES } from './sha.ts';

export const CRYPTO_RULES: Rules = { ...AES_RULES, ...SHA_RULES, ...GFNI_RULES };
