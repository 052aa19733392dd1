/** MMX. */
import type { BuildTable } from '../table.ts';

export const MMX: BuildTable = {};
