/** Plant a mutant: replace text of one source file while Node loads it. Must run before anything imports that file. */
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { BadInput } from '#spec/failure.ts';
import { MUTANTS, type Mutant, mutantById } from './catalogue.ts';
import { LEAKS, leakById } from './leaks.ts';
import { SMALL_SCOPE_MUTANTS, smallScopeById } from './small_scope.ts';

const ROOT = new URL('../../', import.meta.url);

/** The mutated source. Throws when the place is not found exactly once: a mutant that does not apply proves nothing. */
export const mutate = (source: string, mutant: Mutant): string => {
  const places = source.split(mutant.find).length - 1;
  if (places !== 1) throw new Error(`mutant ${mutant.id}: its text stands ${places} times in ${mutant.file}, not once`);
  return source.replace(mutant.find, () => mutant.replace);
};

/** Register the loader hook for this thread. Throws BadInput for an unknown id. */
export const plant = (id: string): Mutant => {
  const mutant = mutantById(id) ?? leakById(id) ?? smallScopeById(id);
  if (!mutant)
    throw new BadInput(`mutant ${id}: unknown; there are ${[...MUTANTS, ...LEAKS, ...SMALL_SCOPE_MUTANTS].map((m) => m.id).join(', ')}`);
  return plantMutant(mutant);
};

export const plantMutant = (mutant: Mutant): Mutant => {
  const url = new URL(mutant.file, ROOT);
  const source = mutate(readFileSync(url, 'utf8'), mutant);
  // A package that merely contains this must start on a Node that has no such hook.
  if (typeof module.registerHooks !== 'function') throw new BadInput(`mutant ${mutant.id}: planting needs Node 22.15 or newer`);
  module.registerHooks({
    load: (loading, context, nextLoad) =>
      loading === url.href ? { format: 'module-typescript', source, shortCircuit: true } : nextLoad(loading, context),
  });
  return mutant;
};
