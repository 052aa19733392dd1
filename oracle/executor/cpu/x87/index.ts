/** x87 floating point. */
import type { BuildTable } from '../table.ts';

export const X87: BuildTable = {};
