/** Planting a bug from the command line. */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { BadInput } from '#spec/failure.ts';
import { MUTANTS } from '../mutants/catalogue.ts';
import { SMALL_SCOPE_MUTANTS } from '../mutants/small_scope.ts';

/** Those that break a machine: a broken judge finds nothing, which its own tests show. */
export const MACHINE_MUTANTS: readonly string[] = [...MUTANTS, ...SMALL_SCOPE_MUTANTS]
  .filter(({ part }) => part !== 'judge')
  .map(({ id }) => id);

/** Mutants replace text of sources while Node loads them; the published package has none. */
const SOURCES = new URL('../campaign/engines.ts', import.meta.url);

export const canPlant = (): boolean => existsSync(SOURCES);
/** Whether this Node lets sources be changed while they load. */
export const hasLoaderHooks = (): boolean => typeof module.registerHooks === 'function';

/** Must run before an engine is loaded. Throws BadInput for a bug that is not in the list. */
export const plantMutant = async (id: string): Promise<void> => {
  if (!MACHINE_MUTANTS.includes(id)) throw new BadInput(`mutant ${id}: there are ${MACHINE_MUTANTS.join(', ')}`);
  if (!canPlant()) throw new BadInput(`mutant ${id}: bugs can be planted in a checkout only`);
  // Loaded here only: the package starts on a Node that has no loader hooks.
  (await import('../mutants/plant.ts')).plant(id);
};
