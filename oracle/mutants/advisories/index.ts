/** Mutants of the executor that bring published defects of Xen back, one for each advisory that the machine can have. */
import type { Mutant } from '../catalogue.ts';
import { GRANTS } from './grants.ts';
import { MEMORY } from './memory.ts';
import { OTHERS } from './others.ts';
import { PROCESSOR } from './processor.ts';

export { MILESTONE } from './milestone.ts';
export { ADVISORIES, type Advisory, MISSING, type Missing } from './rows.ts';
export { SET_ASIDE } from './set_aside.ts';

/** In the order of the advisories. */
export const ADVISORY_MUTANTS: readonly Mutant[] = [...MEMORY, ...GRANTS, ...PROCESSOR, ...OTHERS].sort((a, b) =>
  a.id.localeCompare(b.id, 'en', { numeric: true }),
);

/** The mutant of an advisory; undefined when the machine cannot have it. */
export const mutantOfAdvisory = (advisory: string): Mutant | undefined => ADVISORY_MUTANTS.find(({ id }) => id === `xsa-${advisory}`);
