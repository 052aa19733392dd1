/** AES, carry-less products and SHA: the rule of each, by name. */
import type { Rules } from '../../running.ts';
import { AES_RULES } from './aes.ts';
import { SHA_RULES } from './sha.ts';

export const CRYPTO_RULES: Rules = { ...AES_RULES, ...SHA_RULES };
