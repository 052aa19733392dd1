/** What an element of a grant operation comes to: its status, and the machine after it. */
import { GNTST, type Gntst } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';

/** `out`: result fields beside `status`. */
export type GrantResult<Out> = { readonly machine: Machine; readonly status: number; readonly out: Out | null };

export const refused = (machine: Machine, status: Gntst, clause: ClauseId): GrantResult<never> => ({
  machine: cite(machine, clause),
  status: GNTST[status],
  out: null,
});

export const okay = <Out>(machine: Machine, clause: ClauseId, out: Out): GrantResult<Out> => ({
  machine: cite(machine, clause),
  status: GNTST.okay,
  out,
});
