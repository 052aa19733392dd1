/** Instructions of the system level, of the bare machine alone: descriptors, gates, control registers. */
import type { BuildTable } from '../table.ts';

export const SYSTEM: BuildTable = {};
