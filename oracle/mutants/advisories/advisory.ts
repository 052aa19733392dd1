/** How mutants of advisories are written down. */
import type { Mutant } from '../catalogue.ts';

/** `id` of the advisory's row; `file` under oracle/executor/hypervisor. */
export const advisory = (id: string, file: string, find: string, replace: string, summary: string): Mutant => ({
  id: `xsa-${id}`,
  part: 'executor',
  file: `oracle/executor/hypervisor/${file}`,
  find,
  replace,
  summary,
});

/** What ends Xen itself, or lets it touch memory that is not its to touch, is an error that no guest may bring about. A statement. */
export const hostFault = (what: string): string => `throw new Error('host fault: ${what}');`;
/** The same where an expression is wanted. */
export const hostFaultValue = (what: string): string => `(() => { ${hostFault(what)} })()`;
