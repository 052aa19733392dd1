/** Clauses that no generated program exercises, and why not: data, which `check --clauses` holds to what it measures. */
import type { ClauseId } from '#spec/clauses.ts';

type Reason = { readonly why: string; readonly clauses: readonly ClauseId[] };

export const WITHOUT_PROGRAM: readonly Reason[] = [];
