/** SSE to SSE4.2. */
import type { BuildTable } from '../table.ts';

export const SSE: BuildTable = {};
