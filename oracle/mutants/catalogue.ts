/**
 * Bugs planted on purpose, as data: a place in a source file and what to put there instead. A mutant is applied while the
 * module loads, so sources stay clean and a run without mutants costs nothing.
 */
export type Mutant = {
  readonly id: string;
  /** From the root of the checkout. */
  readonly file: string;
  /** Text that stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What a user of the broken machine would meet. */
  readonly summary: string;
};

export const MUTANTS: readonly Mutant[] = [];

export const mutantById = (id: string): Mutant | undefined => MUTANTS.find((m) => m.id === id);
