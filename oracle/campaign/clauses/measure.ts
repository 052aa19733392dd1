/** Which clauses generated programs exercise, source after source: what the model cites while it runs them. */
import { CLAUSES, type ClauseId } from '#spec/clauses.ts';
import type { Source } from './sources.ts';
import { WITHOUT_PROGRAM } from './without_program.ts';

export type SourceTally = {
  readonly name: string;
  readonly command: string;
  readonly programs: number;
  /** Clauses that its programs exercise; and those that none of the sources before it does. */
  readonly clauses: number;
  readonly first: number;
};
/** Where a clause was met first. */
export type Met = { readonly source: string; readonly seed: number };

export type ClausesMeasured = {
  readonly sources: readonly SourceTally[];
  readonly met: ReadonlyMap<ClauseId, Met>;
  /** Neither met nor named in `without_program.ts`. */
  readonly unmet: readonly ClauseId[];
  /** Named there, and met all the same: the reason no longer holds. */
  readonly stale: readonly ClauseId[];
};

export const clauseIds = (): readonly ClauseId[] => Object.keys(CLAUSES) as ClauseId[];

/** Programs begin at seed `first`. Each source has an equal share of the time; a list that ends earlier leaves its rest to those after it. */
export const measureClauses = async (
  sources: readonly Source[],
  { first, budgetMs, onProgress = () => {} }: { first: number; budgetMs: number; onProgress?: (share: number) => void },
): Promise<ClausesMeasured> => {
  const met = new Map<ClauseId, Met>();
  const tallies: SourceTally[] = [];
  const begun = performance.now();
  for (const [at, { name, command, run, programs: listed }] of sources.entries()) {
    const own = new Set<string>();
    const before = met.size;
    const started = performance.now();
    let programs = 0;
    const share = Math.max(1, (budgetMs - (started - begun)) / (sources.length - at));
    const most = listed?.() ?? Number.POSITIVE_INFINITY;
    const part = (): number => Math.min(1, Math.max((performance.now() - started) / share, programs / most));
    for (; programs === 0 || part() < 1; programs++) {
      const seed = listed ? programs : first + programs;
      await run(seed, (clauses) => {
        for (const clause of clauses as readonly ClauseId[]) {
          own.add(clause);
          if (!met.has(clause)) met.set(clause, { source: name, seed });
        }
      });
      onProgress((at + part()) / sources.length);
    }
    tallies.push({ name, command, programs, clauses: own.size, first: met.size - before });
  }
  const named = new Set(WITHOUT_PROGRAM.flatMap(({ clauses }) => clauses));
  const ids = clauseIds();
  return {
    sources: tallies,
    met,
    unmet: ids.filter((id) => !met.has(id) && !named.has(id)),
    stale: ids.filter((id) => met.has(id) && named.has(id)),
  };
};
