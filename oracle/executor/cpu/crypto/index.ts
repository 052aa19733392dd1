/** PCLMULQDQ, AES and SHA. */
import type { BuildTable } from '../table.ts';

export const CRYPTO: BuildTable = {};
